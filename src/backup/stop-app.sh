# shellcheck shell=bash
# Stops what runs of an application, and notes what did, for start-app.sh; what an earlier run noted stays.
# Nothing of it starts while the note is there, at boot neither. A job that runs is ended, and not begun
# again: its timer is. Values: units (patterns), noted (file), condition (file: a drop-in of all its units).
: "${units[*]:?}" "${noted:?}" "${condition:?}"
set -u
mkdir -p "$(dirname "$noted")" "$(dirname "$condition")" || exit
mapfile -t running < <(systemctl list-units --plain --no-legend --state=active,activating "${units[@]}" |
  while read -r unit _; do echo "$unit"; done)
for unit in "${running[@]}"; do
  case $unit in *@job-*.service) ;; *) echo "$unit" ;; esac
done >>"$noted"
sort -u -o "$noted" "$noted"
printf '[Unit]\nConditionPathExists=!%s\n' "$noted" >"$condition" && systemctl daemon-reload || exit
[ "${#running[@]}" -eq 0 ] || systemctl stop "${running[@]}"
