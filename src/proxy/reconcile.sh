# shellcheck shell=bash
# Makes the site of an application what it should be; a new one starts on blue. The header sets these:
: "${app:?}" "${site_text:?}"

site_file=$(mktemp /run/pipeline-site.XXXXXX) && printf '%s' "$site_text" >"$site_file" || exit 1
site_put "$app" "$site_file"
result=$?
rm -f "$site_file"
[ "$result" = 0 ] || exit 1
[ -n "$(weights_get "$app")" ] || weights_put "$app" 0 || exit 1
# shellcheck disable=SC2154 # site_put sets it
echo "changed $site_changed"
