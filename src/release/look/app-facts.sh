# shellcheck shell=bash
# What a host knows of an application, a line a fact. Follows the proxy's functions. Values: app, apps (folder
# of settings), incoming, sites, programs (that a deploy needs).
: "${app:?}" "${apps:?}" "${incoming:?}" "${sites:?}" "${programs[*]:?}" "${proxy_live:?}"
mkdir -p /run/pipeline && exec 8>>"/run/pipeline/release-$app.lock"
flock -w 60 8 || { echo "another run is still changing $app here" >&2; exit 1; }
for program in "${programs[@]}"; do command -v "$program" >/dev/null || echo "missing $program"; done
[ -d "$sites" ] || echo 'missing sites'
[ -e /proc/net/if_inet6 ] || echo 'lacks ipv6'
[ -e "$apps/.prepared" ] && echo "prepared $(cat "$apps/.prepared")"
for file in "$apps"/*/slot; do
  [ -e "$file" ] && echo "slot $(basename "$(dirname "$file")") $(cat "$file")"
done
ss -Hltn 2>/dev/null | sed -n 's/^[^ ]* *[^ ]* *[^ ]* *[^ ]*:\([0-9]*\) .*/listen \1/p' | sort -u
green=$(weights_get "$app") && echo "green $green"
for colour in blue green; do
  target=$(readlink "/srv/$app/$colour") && echo "colour $colour $(basename "$target")"
done
systemctl list-units --all --plain --no-legend "pipeline-$app@*.service" |
  while read -r unit _ active _; do echo "unit $unit $active"; done
systemctl list-units --plain --no-legend --state=active "pipeline-$app@job-*.timer" |
  while read -r timer _; do echo "timer $timer"; done
for file in /srv/"$app"/releases/*/release.json; do
  [ -e "$file" ] || continue
  folder=$(dirname "$file")
  state=$(cat "$folder/state" 2>/dev/null || echo unfinished)
  digest=$(cat "$folder/digest" 2>/dev/null || echo none)
  echo "release $state $digest $(cat "$file")"
done
for file in "$incoming"/*; do [ -f "$file" ] && echo "incoming $(basename "$file")"; done
[ -e "$sites/$app.conf" ] && echo "site $(sha256sum <"$sites/$app.conf" | cut -d' ' -f1)"
settings=$apps/$app
[ -e "$apps/$app/stopped" ] && echo standstill
[ -e "$proxy_live/$app/closed" ] && echo "closed $(cat "$proxy_live/$app/closed/info")"
for file in "$settings"/auth/*; do [ -f "$file" ] && echo "auth $(basename "$file")"; done
[ -d "$settings/guard" ] && [ -e "$settings/standby" ] && echo "standby $(cat "$settings/standby")"
guard=$settings/guard
# Another release was to take over, and its command died.
[ -e "$guard/previous" ] || guard=$settings/guard-suspended
if [ -e "$guard/previous" ] && [ ! -e "$guard/reason" ]; then
  left=$(($(cat "$guard/until") - $(date +%s%3N)))
  echo "watched $left $(cat "$guard/previous") $(cat "$guard/release" 2>/dev/null)"
fi
[ -e "$settings/rollout/order.json" ] && echo "rollout $(cat "$settings/rollout/baseline")"
echo complete
