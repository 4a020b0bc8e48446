# shellcheck shell=bash
# The timers of an application's jobs go from a host that runs them no more. Value: app.
: "${app:?}"
for file in "/etc/systemd/system/pipeline-$app@job-"*.timer; do
  [ -e "$file" ] || continue
  timer=$(basename "$file")
  rm -f "/etc/systemd/system/timers.target.wants/$timer"
  systemctl stop "$timer"
  rm -f "/var/lib/systemd/timers/stamp-$timer" "$file" "${file%.timer}.service"
  job=${timer#"pipeline-$app@job-"}
  # Nothing would end the failure of a job that runs no more.
  for unit in "${timer%.timer}.service" "pipeline-job-failed@$app:${job%.timer}.service"; do
    ! systemctl --quiet is-failed "$unit" || systemctl reset-failed "$unit"
  done
done
rm -f "/srv/$app/live"
systemctl daemon-reload
