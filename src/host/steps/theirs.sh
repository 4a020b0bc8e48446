# shellcheck shell=bash
# look NUMBER TEXT: runs bash that looks for what somebody else has here, and prints its lines after the
# number. What cannot be looked at counts as found: nobody knows that it is ours.
look() {
  local found line
  found=$(timeout 20 bash /dev/fd/3 3<<<"$2" </dev/null 2>/dev/null) ||
    found+=${found:+$'\n'}'(something that could not be looked at)'
  while IFS= read -r line; do
    [[ -z $line ]] || printf '%s\t%s\n' "$1" "$line"
  done <<<"$found"
}
