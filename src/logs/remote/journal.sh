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
  # What its processes print, and what systemd says of its units: of all that the journal knows.
  own() { awk -v own="pipeline-$app@" -v field="$1=" 'index($0, own) == 1 { print field $0 }'; }
  # Both at once.
  exec 3< <(journalctl --field=UNIT | own UNIT)
  matches=$(
    journalctl --field=_SYSTEMD_UNIT | own _SYSTEMD_UNIT
    cat <&3
  )
  exec 3<&-
  if [ "$mode" = follow ]; then
    # Units that are new too: by their control group; and where a process ended at once, so that the journal
    # finds none, by their names or by what their lines are marked with.
    names=$(
      printf 'pipeline-%s@%s.service\n' "$app" blue "$app" green
      systemctl list-unit-files --no-legend --plain "pipeline-$app@*" | sed 's/ .*//'
    )
    matches+=$'\n'$(own _SYSTEMD_UNIT <<<"$names")$'\n'$(own UNIT <<<"$names")
    matches+=$'\n'"_SYSTEMD_SLICE=$slice"$'\n'"SYSLOG_IDENTIFIER=$app"
  fi
  [ -n "$matches" ] || exit 0
  or=()
  while read -r one; do
    args+=("${or[@]}" "$one")
    or=(+)
  done < <(sort -u <<<"$matches" | sed '/^$/d')
fi
# While it is followed, and with a pattern, the next line may be far: each at once. Otherwise many together.
if [ "$mode" = follow ] || [ -n "$pattern" ]; then exec stdbuf -oL journalctl "${args[@]}"; fi
exec journalctl "${args[@]}"
