# shellcheck shell=bash
# Runs SQL in MariaDB as the application's user, so that it stays within its own database. Value: sent (file).
: "${folder:?}" "${name:?}" "${sent:?}"
{ exec 7>>"$folder/lock" && flock -w 60 7; } || fail 'an earlier run is still filling it'
trap 'rm -f "$sent"' EXIT
as_user --default-character-set=utf8mb4 "$name" <"$sent"
