# shellcheck shell=bash
# Closes the site of an application. Follows the proxy's functions. Values: app, page (HTML), retry (for
# Retry-After), info (who, when, for how long: one line of JSON), yield (1: what is closed already stays as it
# is). Prints `none`: no site; `old`: its site cannot be closed yet; `closed`: it was closed before too;
# `open`: it was open.
: "${app:?}" "${page:?}" "${retry:?}" "${info:?}" "${yield?}" "${proxy_sites:?}" "${proxy_live:?}"
site=$proxy_sites/$app.conf
[ -e "$site" ] || { echo none; exit 0; }
grep -qF "$proxy_live/$app/closed/" "$site" || { echo old; exit 0; }
before=open
[ -e "$proxy_live/$app/closed" ] && before=closed
[ "$before$yield" = closed1 ] && { echo closed; exit 0; }
printf %s "$page" | site_close "$app" "$retry" "$info" || exit 1
echo $before
