# shellcheck shell=bash
# Starts what stop-app.sh stopped. Value: noted (file).
: "${noted:?}"
set -u
[ -e "$noted" ] || exit 0
mapfile -t stopped <"$noted"
[ "${#stopped[@]}" -eq 0 ] || systemctl start "${stopped[@]}" || exit
rm -f "$noted"
