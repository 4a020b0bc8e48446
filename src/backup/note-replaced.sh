# shellcheck shell=bash
# Notes what is done of a replacement; prints what is done so far. Values: noted (file), word (empty: none;
# `end`: all of it is done).
: "${noted:?}" "${word?}"
set -eu
mkdir -p "$(dirname "$noted")"
if [ "$word" = end ]; then
  rm -f "$noted"
  exit 0
fi
touch "$noted"
[ -z "$word" ] || printf '%s\n' "$word" >>"$noted"
sync "$noted"
cat "$noted"
