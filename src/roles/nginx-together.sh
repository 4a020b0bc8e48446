# shellcheck shell=bash
# Prints why nginx would not take our configuration together with the sites that are there. Tried where nobody
# else sees it. Values: configuration, text.
: "${configuration:?}" "${text:?}"
command -v nginx >/dev/null && [[ -e $configuration ]] || exit 0
if grep -q 'Made by pipeline' "$configuration"; then exit 0; fi
new=$(mktemp /run/pipeline-nginx.XXXXXX) || exit
trap 'rm -f "$new"' EXIT
printf %s "$text" >"$new"
# shellcheck disable=SC2016 # sh expands them
in_place='mount --bind "$1" "$2" && exec nginx -t -q'
said=$(unshare --mount --propagation private sh -c "$in_place" try "$new" "$configuration" 2>&1) ||
  echo "$said"
exit 0
