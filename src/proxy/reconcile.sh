# shellcheck shell=bash
# Puts the site's file in place, with all traffic on blue where it had no weights yet. Value: app; before it
# stand functions.sh and what leaves the file at site_file.
: "${app:?}" "${site_file:?}"
site_put "$app" "$site_file"
result=$?
rm -f "$site_file"
[ $result = 0 ] || exit 1
[ -n "$(weights_get "$app")" ] || weights_put "$app" 0 || exit 1
echo "changed ${site_changed:?}"
