# shellcheck shell=bash
# Prints the SQLite files of a FerretDB as an archive: copies that are whole while the server writes, but not
# its users. Arguments: the folder, and the account that it belongs to.
set -euo pipefail
data=$1 account=$2
copy=$data/.pipeline-copy
as_owner() { setpriv --reuid="$account" --regid="$account" --clear-groups "$@"; }
trap 'rm -rf "$copy"' EXIT
rm -rf "$copy"
as_owner mkdir -m 700 "$copy"
for file in "$data"/*.sqlite; do
  name=$(basename "$file")
  if [ "$name" = admin.sqlite ] || [ ! -e "$file" ]; then continue; fi
  as_owner sqlite3 "$file" ".timeout 10000" ".backup '$copy/$name'"
done
tar -cf - --sort=name --owner="$account" --group="$account" -C "$copy" .
