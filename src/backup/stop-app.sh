# shellcheck shell=bash
# Stops what runs of an application, and notes what did, for start-app.sh; what an earlier run noted stays.
# Values: units (patterns), noted (file).
: "${units[*]:?}" "${noted:?}"
set -u
mkdir -p "$(dirname "$noted")"
systemctl list-units --plain --no-legend --state=active,activating "${units[@]}" |
  while read -r unit _; do echo "$unit"; done >>"$noted"
sort -u -o "$noted" "$noted"
mapfile -t running <"$noted"
[ "${#running[@]}" -eq 0 ] || systemctl stop "${running[@]}"
