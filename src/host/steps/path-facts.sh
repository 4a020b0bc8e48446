# shellcheck shell=bash
# What stands at paths, a line each: type, mode, owner, group, path, target. Of files that should be files
# also their hash, and where it is not a wanted one their content and whether somebody else wrote them.
# Values: paths; files and hashes (that they should have; a file may be there twice); secrets (files whose
# content stays here), longest (bytes that are brought home), written (list of files that pipeline wrote).
# shellcheck disable=SC2154 # the header sets the lists, and an empty one would count as unset
: "${longest:?}" "${written:?}"

find "${paths[@]}" -maxdepth 0 -printf '%y\t%m\t%u\t%g\t%p\t%l\n' 2>/dev/null
declare -A wanted secret
for index in "${!files[@]}"; do wanted[${files[index]}]+=" ${hashes[index]}"; done
for path in "${secrets[@]}"; do secret[$path]=1; done

is_ours() {
  [[ $1 = *pipeline* ]] || grep -qsxF -- "$1" "$written" ||
    head -n 3 -- "$1" 2>/dev/null | grep -qi 'by pipeline'
}
is_packaged() { # PATH: as its package brought it
  local sum
  [[ -v packaged ]] || packaged=$(dpkg-query -W -f '${Conffiles}\n' 2>/dev/null)
  sum=$(md5sum <"$1") && sum=${sum%% *} || return
  grep -qF -- " $1 $sum" <<<"$packaged" || grep -qsxF -- "$sum  $1" /var/lib/ucf/hashfile
}

there=()
for path in "${!wanted[@]}"; do
  if [[ -L $path ]]; then
    is_ours "$path" || printf 'theirs\t%s\n' "$path"
  elif [[ -f $path ]]; then
    there+=("$path")
  fi
done
if ((${#there[@]})); then
  while read -r hash path; do
    printf 'hash\t%s\t%s\n' "$path" "$hash"
    [[ ${wanted[$path]-} != *" $hash"* ]] || continue
    is_ours "$path" || is_packaged "$path" || printf 'theirs\t%s\n' "$path"
    [[ ! ${secret[$path]-} ]] || continue
    printf 'content\t%s\t%s\n' "$path" "$(head -c "$longest" -- "$path" | base64 -w 0)"
  done < <(sha256sum -- "${there[@]}" 2>/dev/null)
fi
