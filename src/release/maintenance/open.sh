# shellcheck shell=bash
# Opens the site of an application again. Follows the proxy's functions. Value: app. Prints `closed` or
# `open`: what it was before.
: "${app:?}" "${proxy_live:?}"
before=open
[ -e "$proxy_live/$app/closed" ] && before=closed
site_open "$app" || exit 1
echo $before
