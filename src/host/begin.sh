# shellcheck shell=bash
# Begins a host's script: what programs find in their environment, folders, the lock, the log. Values: stamps
# (folder), busy (exit code where another run is changing the host); functions.sh has the others.
: "${stamps:?}" "${busy:?}" "${lock_seconds:?}" "${log:?}"
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
umask 022
# A connection that is gone must not end a step in its middle; it ends the script at the next border.
trap : PIPE
mkdir -p /run/pipeline /var/log/pipeline /var/lib/pipeline
# shellcheck disable=SC2174 # the folder above it is there
mkdir -p -m 700 "$stamps"
exec 9>/run/pipeline/converge.lock
flock -w "$lock_seconds" 9 || exit "$busy"
install -m 600 /dev/null "$log"
