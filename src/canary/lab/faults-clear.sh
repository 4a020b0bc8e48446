# shellcheck shell=bash
# Undoes whatever is left of faults. Values: undo (a script for each), folder (of notes).
: "${folder:?}"
declare -a undo
for script in "${undo[@]}"; do bash -c "$script"; done
systemctl list-units --plain --no-legend 'pipeline-fault-*.timer' |
  while read -r unit _; do systemctl stop "$unit"; done
rm -rf "$folder"
