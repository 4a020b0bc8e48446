# shellcheck shell=bash
# Writes a backup, for root alone, under a name of its own until it is whole; the newest stay. Values: parents
# and backups (folders), path, spare (bytes that stay free), newest (how many stay).
: "${backups:?}" "${path:?}" "${spare:?}" "${newest:?}"
declare -a parents
umask 077
{ mkdir -p "$backups" && chmod 700 "${parents[@]}"; } || fail "cannot make the folder $backups"
rm -f "$backups"/*.new
needed=$(bytes) free=$(df -B1 --output=avail "$backups" | tail -n 1 | tr -d ' ')
[ "$free" -gt $((needed + spare)) ] ||
  fail "no room: it has $((needed / 1000000)) MB, and $((free / 1000000)) MB are free in $backups"
if ! said=$( (dump "$path.new") 2>&1); then
  rm -f "$path.new"
  reason=$(printf %s "$said" | tail -n 2 | tr '\n' ' ')
  fail "$reason ($(df -h --output=avail "$backups" | tail -n 1 | tr -d ' ') free)"
fi
{ sync "$path.new" && mv "$path.new" "$path"; } || fail "cannot write $path"
# shellcheck disable=SC2012 # pipeline alone names files here, and names have no line break
ls -1t "$backups" | tail -n "+$((newest + 1))" | while IFS= read -r old; do rm -f "$backups/$old"; done
echo "bytes $(stat -c %s "$path")"
echo "path $path"
