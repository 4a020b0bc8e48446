# shellcheck shell=bash
# Prints which programs listen on a port that a unit needs for itself, a line each. Values: port, unit.
: "${port:?}" "${unit:?}"
command -v ss >/dev/null || exit 0
ss -Hltnp "sport = :$port" | while read -r _ _ _ local _ users; do
  program='a program' pid=''
  [[ $users =~ \(\(\"([^\"]+)\",pid=([0-9]+) ]] && program=${BASH_REMATCH[1]} pid=${BASH_REMATCH[2]}
  grep -qs "/$unit" "/proc/${pid:-none}/cgroup" || echo "$program at $local"
done | sort -u
exit 0
