# shellcheck shell=bash
# What stands at paths, and the content of files that is not the wanted one. Nothing is changed. Values:
# paths, files with hashes (the wanted one of each), secrets (files whose content stays on the host), longest
# (bytes of content).
: "${longest:?}"
declare -a paths files hashes secrets
declare -A wanted secret
find "${paths[@]}" -maxdepth 0 -printf '%y\t%m\t%u\t%g\t%p\t%l\n' 2>/dev/null
for index in "${!files[@]}"; do wanted[${files[index]}]+=" ${hashes[index]}"; done
for path in "${secrets[@]}"; do secret[$path]=1; done
there=()
for path in "${!wanted[@]}"; do
  [[ -f $path && ! -L $path ]] && there+=("$path")
done
if ((${#there[@]})); then
  while read -r hash path; do
    printf 'hash\t%s\t%s\n' "$path" "$hash"
    if [[ ${wanted[$path]-} != *" $hash"* && ! ${secret[$path]-} ]]; then
      printf 'content\t%s\t%s\n' "$path" "$(head -c "$longest" -- "$path" | base64 -w 0)"
    fi
  done < <(sha256sum -- "${there[@]}" 2>/dev/null)
fi
