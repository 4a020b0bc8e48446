# shellcheck shell=bash
# Puts the site on standard input in place: put-site APP. Follows the proxy's functions.
file=$(mktemp /run/pipeline-site.XXXXXX) && cat >"$file" || exit 1
site_put "$1" "$file" 2>&1
result=$?
rm -f "$file"
# shellcheck disable=SC2154 # site_put sets it
[ "$result" != 0 ] || echo "changed=$site_changed"
exit "$result"
