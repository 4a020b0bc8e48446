# shellcheck shell=bash
# The guard of a table that was just loaded: keeps it for the next boot where the other side confirms it in
# time, and puts the old one back where not. Values: run (folder, with the seconds that the other side has),
# table (family and name), unit (that loads tables at boot), stamp (file) and remembered (its lines), files
# (of paths) with texts (of the same length).
: "${run:?}" "${table:?}" "${unit:?}" "${stamp:?}" "${remembered:?}"
declare -a files texts
write() {
  local new=$1.pipeline-new
  mkdir -p "${1%/*}" && printf %s "$2" >"$new" && sync "$new" && mv -fT "$new" "$1"
}
keep() {
  local index
  for index in "${!files[@]}"; do
    write "${files[index]}" "${texts[index]}" || return
  done
  systemctl --quiet --no-reload enable "$unit" &&
    write "$stamp" "$remembered"$'live\t'"$(table_hash "$table")"$'\n'
}
result=reverted
seconds=$(<"$run/seconds")
exec {never}<> <(:)
while ((SECONDS <= seconds)); do
  if [[ -e $run/confirmed ]]; then
    if message=$(keep 2>&1); then result=kept; else result=$message; fi
    break
  fi
  # a sleep would be a process, and many of them keep a slow host from answering
  read -rt 0.1 -u "$never" _ || true
done
[[ $result = kept ]] || nft -f "$run/old.nft"
printf '%s\n' "$result" >"$run/result.new"
mv "$run/result.new" "$run/result"
