# shellcheck shell=bash
# What the host says of a database. Nothing is changed.
: "${folder:?}"
echo "machine $(uname -m)"
state=$(server_state)
echo "server $state"
[ "$state" = up ] || exit 0
if ! user_there; then echo 'user none'; elif own; then echo 'user made'; else echo 'user foreign'; fi
signs_in && echo 'signs'
current && echo 'current'
echo "count $(count)"
echo "seed $(cat "$folder/seed" 2>/dev/null)"
