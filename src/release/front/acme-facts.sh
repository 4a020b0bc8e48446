# shellcheck shell=bash
# What a host knows of its ACME certificate. Values: prepared (file), folder (the application's settings for
# ACME), issued (file).
: "${prepared:?}" "${folder:?}" "${issued:?}"
[ -e "$prepared" ] && echo "prepared $(cat "$prepared")"
[ -e "$folder/config" ] &&
  echo "asked $(cat "$folder/config" "$folder/domains.txt" | sha256sum | cut -d' ' -f1)"
[ -e "$issued" ] && [ ! -e "$folder/reason" ] && echo 'issued yes'
true
