#!/bin/bash
# Runs a job now and prints what it prints, line by line, until it has ended; it goes on if this ends before.
# Exits 0 once it has ended, however; 10: it runs already; 11: it did not start. Values: unit, by, by_file.
: "${unit:?}" "${by:?}" "${by_file:?}"
property() { systemctl show --property="$1" --value "$unit"; }
runs() { case $(property ActiveState) in activating | deactivating | active) true ;; *) false ;; esac; }
runs && exit 10
before=$(property InvocationID)
printf '%s\n' "$by" >"$by_file"
systemctl start --no-block "$unit" || exit 11
id=$before
for ((i = 0; i < 100; i++)); do
  id=$(property InvocationID)
  [ -n "$id" ] && [ "$id" != "$before" ] && break
  sleep 0.1
done
[ -n "$id" ] && [ "$id" != "$before" ] || exit 11
cursor=$(mktemp) && trap 'rm -f "$cursor"' EXIT
print() {
  journalctl --quiet --no-pager --output=cat --cursor-file="$cursor" "_SYSTEMD_INVOCATION_ID=$id" \
    _TRANSPORT=stdout
}
while runs; do
  print
  sleep 0.2
done
journalctl --sync
print
exit 0
