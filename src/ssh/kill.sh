# shellcheck shell=bash disable=SC2046,SC2062,SC2086
# Ends every process of the sessions that carry a token. The header sets token and grace, in seconds.
# What stands unquoted below is split into words on purpose.
: "${token:?}" "${grace:?}"
sessions=' '
for file in $(printf '%s' "$token" | grep -lsaFf - /proc/[0-9]*/cmdline); do
  stat=$(<"${file%cmdline}stat") || continue
  set -- ${stat##*) }
  sessions+="$4 "
done 2>/dev/null
[ "$sessions" != ' ' ] || exit 0
members() {
  local file stat pid
  for file in /proc/[0-9]*/stat; do
    { read -r -d '' stat || true; } <"$file" || continue
    set -- ${stat##*) }
    pid=${file%/stat}
    [ "$1" = Z ] || [[ $sessions != *" $4 "* ]] || echo "${pid#/proc/}"
  done 2>/dev/null
}
kill -TERM $(members) 2>/dev/null
end=$((SECONDS + grace))
while [ "$SECONDS" -lt "$end" ]; do
  [ -n "$(members)" ] || exit 0
  sleep 0.1
done
kill -KILL $(members) 2>/dev/null
true
