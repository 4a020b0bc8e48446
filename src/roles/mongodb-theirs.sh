# shellcheck shell=bash
# Prints where a MongoDB keeps its data that somebody else set up. Values: configuration, the file that is
# ours once we wrote it.
: "${configuration:?}"
if grep -qs 'Made by pipeline' "$configuration"; then exit 0; fi
directory=$(sed -n 's/^ *dbPath: *//p' "$configuration" 2>/dev/null | head -n 1)
for file in "${directory:-/var/lib/mongodb}" /var/lib/mongodb; do
  if [[ -e $file/WiredTiger ]]; then echo "data in $file"; fi
done | sort -u
exit 0
