# shellcheck shell=bash
# Prints entries of the journal, each an object in JSON on a line of its own; before them the host's time and
# which release was in which colour when. Values: mode (newest: latest first, oldest, follow), app and slice
# (its units' control group; both empty: all), unit, since and until (seconds since 1970), cursor, pattern,
# count (empty: all), fields, placed (file of placements).
: "${mode:?}" "${fields:?}" "${placed:?}"
: "${app?}" "${slice?}" "${unit?}" "${since?}" "${until?}" "${cursor?}" "${pattern?}" "${count?}"
now=$(date +%s.%N)
printf 'now %s\n' "$now"
[ "$mode" != follow ] || [ -n "$since$cursor" ] || since=$now
if [ -n "$app" ]; then
  awk -v app="$app" '$4 == app { print "placed", $1, $2, $3 }' "$placed" 2>/dev/null
  for colour in blue green; do
    release=$(readlink "/srv/$app/$colour") || continue
    printf 'placed %s %s %s\n' "$(stat -c %.Y "/srv/$app/$colour")" "$colour" "${release##*/}"
  done
fi
[ "$mode" != placed ] || exit 0
args=(--quiet --no-pager --output=json --all "--output-fields=$fields")
case $mode in
  newest) args+=(--reverse) ;;
  follow) args+=(--follow --lines=all) ;;
esac
[ -z "$count" ] || args+=("--lines=$count")
[ -z "$since" ] || args+=("--since=@$since")
[ -z "$until" ] || args+=("--until=@$until")
[ -z "$cursor" ] || args+=("--after-cursor=$cursor")
[ -z "$pattern" ] || args+=("--grep=$pattern")
[ -z "$unit" ] || args+=("--unit=$unit")
if [ -n "$app" ]; then
  # What its processes print, and what systemd says of its units. Of a process that ended at once the journal
  # finds no control group: its unit is known by name, and one that is new by what its lines are marked with.
  args+=("_SYSTEMD_SLICE=$slice" + "SYSLOG_IDENTIFIER=$app")
  while read -r one; do args+=(+ "_SYSTEMD_UNIT=$one" + "UNIT=$one"); done < <(
    {
      printf 'pipeline-%s@%s.service\n' "$app" blue "$app" green
      systemctl list-unit-files --no-legend --plain "pipeline-$app@*" | sed 's/ .*//'
      journalctl --field=UNIT
      journalctl --field=_SYSTEMD_UNIT
    } | grep -F "pipeline-$app@" | sort -u
  )
fi
# Each line at once: with a pattern, the next one may be far.
exec stdbuf -oL journalctl "${args[@]}"
