# shellcheck shell=bash
# What keeps visitors from a host: our table, the line `rules` and its file, or the firewalls of others; and
# the ports where somebody listens. Values: table (family and name), file.
: "${table:?}" "${file:?}"
# shellcheck disable=SC2086 # family and name are two words
if [ -e "$file" ] && nft list table $table >/dev/null 2>&1; then
  printf 'rules\n'
  cat "$file"
  exit 0
fi
ss -Hltn 2>/dev/null | sed -n 's/^[^ ]* *[^ ]* *[^ ]* *[^ ]*:\([0-9]*\) .*/listen \1/p' | sort -u
