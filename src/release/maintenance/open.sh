# shellcheck shell=bash
# Opens the site of an application again. Follows the proxy's functions. Values: app, note (only where the
# info has it; empty: whoever closed it). Prints `closed` or `open`: what it was before.
: "${app:?}" "${note?}" "${proxy_live:?}"
before=open
[ -e "$proxy_live/$app/closed" ] && before=closed
[ "$before" = open ] || grep -qF -- "$note" "$proxy_live/$app/closed/info" || { echo open; exit 0; }
site_open "$app" || exit 1
echo $before
