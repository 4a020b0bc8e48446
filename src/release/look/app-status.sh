# shellcheck shell=bash
# Every application on a host, and how its processes are. Follows the proxy's functions. Value: apps (folder
# of settings).
: "${apps:?}" "${proxy_live:?}"
for settings in "$apps"/*/; do
  app=$(basename "$settings")
  green=$(weights_get "$app") || continue
  if [ "$green" -gt 50 ]; then colour=green; else colour=blue; fi
  folder=/srv/$app/$colour
  [ -e "$folder/release.json" ] || continue
  echo "app $(cat "$folder/release.json")"
  [ -e "$proxy_live/$app/closed" ] && echo "closed $(cat "$proxy_live/$app/closed/info")"
  while read -r unit address port _; do
    said=$("$folder/check" "$address:$port")
    code=$?
    active=$(systemctl show --value -p ActiveState "$unit")
    if [ "$active" != active ]; then
      code=2
      said="${unit%.service} is $active (exit code $(systemctl show --value -p ExecMainStatus "$unit"))"
    fi
    echo "process $code $said"
  done <"$settings/$colour.instances"
  for file in "/etc/systemd/system/pipeline-$app@$colour-"[a-z]*.service; do
    [ -e "$file" ] || continue
    unit=$(basename "$file")
    active=$(systemctl show --value -p ActiveState "$unit")
    [ "$active" = active ] && continue
    code=$(systemctl show --value -p ExecMainStatus "$unit")
    echo "process 2 ${unit%.service} is $active (exit code $code)"
  done
done
