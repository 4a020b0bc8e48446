# shellcheck shell=bash
# Waits for the environment's lock, tells who holds it, and holds it. The header sets holder.
: "${holder:?}"
mkdir -p /run/pipeline && exec 9>>/run/pipeline/lock || exit 1
until flock -n 9; do
  said=$(cat /run/pipeline/holder 2>/dev/null)
  [ "$said" = "${told-}" ] || printf 'held %s\n' "$said"
  told=$said
  sleep 0.3
done
printf '%s\n' "$holder" >/run/pipeline/holder.new &&
  mv /run/pipeline/holder.new /run/pipeline/holder || exit 1
echo locked
while printf '.\n'; do sleep 1 9>&-; done
