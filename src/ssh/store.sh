# shellcheck shell=bash
# Stores standard input under a path. Arguments: TOKEN PATH SIZE MODE.
set -u
path=$2 size=$3 mode=$4
directory=$(dirname -- "$path")
mkdir -p -- "$directory" || exit 1
[ ! -e "$path" ] || [ -f "$path" ] || {
  echo "$path is not an ordinary file" >&2
  exit 1
}
temporary=$(mktemp -- "$path.XXXXXX") || exit 1
trap 'rm -f -- "$temporary"' EXIT
if ! message=$(cat 2>&1 >"$temporary"); then
  case $message in
    *"No space left"* | *"quota exceeded"*)
      df -B1 --output=avail,size -- "$directory" | tail -n 1
      exit 28
      ;;
  esac
  printf '%s\n' "$message" >&2
  exit 1
fi
got=$(stat -c %s -- "$temporary")
[ "$got" = "$size" ] || {
  echo "$got of $size bytes arrived" >&2
  exit 1
}
chmod -- "$mode" "$temporary" && sync -- "$temporary" &&
  mv -fT -- "$temporary" "$path" && sync -- "$directory"
