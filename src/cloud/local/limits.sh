# shellcheck shell=sh
# Writes the limits into the group that the host sees as its root. Values: top and payload (groups),
# memory_bytes, cpu_quota.
: "${top:?}" "${payload:?}" "${memory_bytes:?}" "${cpu_quota:?}"
[ -e "$top/memory.max" ] || exit 0
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  [ ! -e "$payload/memory.max" ] || break
  sleep "0.$attempt"
done
echo "$memory_bytes" >"$payload/memory.max"
echo "$cpu_quota 100000" >"$payload/cpu.max"
