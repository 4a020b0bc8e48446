# shellcheck shell=bash
# Notes how far the seed is; `begun` and `none` empty the database. Value: state. One at a time: what a killed
# run left on the host ends first.
: "${folder:?}" "${state:?}"
{ exec 7>>"$folder/lock" && flock -w 600 7; } || fail 'an earlier run is still filling it'
if [ "$state" = "done" ]; then
  echo "done" | keep seed || exit
  exit 0
fi
echo begun | keep seed || exit
clear_database || exit
[ "$state" = begun ] || rm -f "$folder/seed"
