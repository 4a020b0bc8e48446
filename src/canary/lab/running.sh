# shellcheck shell=bash
# Where a version runs: `unit NAME` for each of its processes, `instance UNIT ADDRESS PORT` for those that
# answer. Values: app, colour, instances (file that a deploy wrote).
: "${app:?}" "${colour:?}" "${instances:?}"
systemctl list-units --plain --no-legend "pipeline-$app@$colour.service" "pipeline-$app@$colour-*.service" |
  while read -r unit _; do echo "unit $unit"; done
if [ -e "$instances" ]; then sed 's/^/instance /' "$instances"; fi
