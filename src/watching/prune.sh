# shellcheck shell=bash
# Removes everything else from a folder. Values: folder, kept (paths).
: "${folder:?}"
declare -a kept
for path in "$folder"/*; do
  printf '%s\n' "${kept[@]}" | grep -qxF -e "$path" || rm -rf -- "$path"
done
