# shellcheck shell=bash
# Stands after stock.sh. Prints what a Redis has that somebody else set up. Values: configuration, the file
# that is ours once we wrote it.
: "${configuration:?}"
[[ -e $configuration ]] || exit 0
if grep -q 'Made by pipeline' "$configuration"; then exit 0; fi
directory=$(sed -n 's/^dir  *//p' "$configuration" | tail -n 1)
for file in "${directory:-/var/lib/redis}"/{*.rdb,*.aof,appendonlydir/*}; do
  if [[ -s $file ]]; then echo "data in $file"; fi
done
if command -v redis-cli >/dev/null; then
  keys=$(timeout 3 redis-cli DBSIZE 2>/dev/null)
  if [[ $keys =~ [1-9] ]]; then echo "keys in memory: ${keys##* }"; fi
fi
is_stock "$configuration" || echo "settings in $configuration"
exit 0
