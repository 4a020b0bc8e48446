# shellcheck shell=bash
# Stops what runs of an application, and notes what did, for start-app.sh; what an earlier run noted stays. A
# job that runs is ended, and not begun again: its timer is. Values: units (patterns), noted (file).
: "${units[*]:?}" "${noted:?}"
set -u
mkdir -p "$(dirname "$noted")"
mapfile -t running < <(systemctl list-units --plain --no-legend --state=active,activating "${units[@]}" |
  while read -r unit _; do echo "$unit"; done)
for unit in "${running[@]}"; do
  case $unit in *@job-*.service) ;; *) echo "$unit" ;; esac
done >>"$noted"
sort -u -o "$noted" "$noted"
[ "${#running[@]}" -eq 0 ] || systemctl stop "${running[@]}"
