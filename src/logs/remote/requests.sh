# shellcheck shell=bash
# Prints lines of nginx's request log, over its rotated files. Values: mode (newest: latest first, oldest,
# follow), file, since and until (seconds since 1970; empty: none), statuses (`500-599 404-404`; empty: all),
# word (what a line must contain; empty: anything), fold (-i: capitals or not).
: "${mode:?}" "${file:?}" "${since?}" "${until?}" "${statuses?}" "${word?}" "${fold?}"
now=$(date +%s.%N)
printf 'now %s\n' "$now"
[ "$mode" != follow ] || [ -n "$since" ] || since=$now
backwards=
[ "$mode" != newest ] || backwards=1

# Lines are in order but for some seconds: nginx writes a request when it ends, each worker on its own.
filter() {
  awk -v since="$since" -v until="$until" -v statuses="$1" -v backwards="$backwards" '
    BEGIN {
      n = split(statuses, ranges, " ")
      for (i = 1; i <= n; i++) { split(ranges[i], ends, "-"); low[i] = ends[1] + 0; high[i] = ends[2] + 0 }
    }
    {
      at = substr($0, 9) + 0
      if (since != "" && at < since + 0) { if (backwards && at < since - 60) exit; next }
      if (until != "" && at > until + 0) { if (!backwards && at > until + 60) exit; next }
      if (n > 0) {
        if (!match($0, /"status":[0-9]+/)) next
        status = substr($0, RSTART + 9, RLENGTH - 9) + 0
        found = 0
        for (i = 1; i <= n; i++) if (status >= low[i] && status <= high[i]) found = 1
        if (!found) next
      }
      print
    }'
}

having() {
  if [ -z "$word" ]; then cat; else grep --text --line-buffered -F ${fold:+"$fold"} -e "$word"; fi
}

contents() {
  case $1 in *.gz) gzip -dc "$1" ;; *) cat "$1" ;; esac
}

# The newest first; none that was written last before what is asked for.
files=()
for one in "$file" "$file".{1..30} "$file".{1..30}.gz; do
  [ -f "$one" ] || continue
  [ -z "$since" ] || [ "$(stat -c %Y "$one")" -ge "$((${since%%.*} - 1))" ] || continue
  files+=("$one")
done

case $mode in
  newest)
    for one in "${files[@]}"; do contents "$one" | tac | filter "$statuses"; done | having
    ;;
  oldest)
    for ((i = ${#files[@]} - 1; i >= 0; i--)); do contents "${files[i]}" | filter "$statuses"; done | having
    ;;
  follow)
    # What came since: the reader knows by its id what it has.
    [ ! -f "$file.1" ] || [ "$(stat -c %Y "$file.1")" -lt "$((${since%%.*} - 1))" ] || filter '' <"$file.1"
    lines=$(tail -n 100000 "$file" 2>/dev/null | filter '' | wc -l)
    exec tail -n "$((lines + 100))" -s 0.2 -F "$file" 2>/dev/null
    ;;
esac
true
