# shellcheck shell=bash
# By which address this host reaches the monitor. Values: monitor, no_address (exit code where its name is
# unknown).
: "${monitor:?}" "${no_address:?}"
address=$(getent ahosts "$monitor" | awk 'NR==1 {print $1}')
[ -n "$address" ] || exit "$no_address"
ip -o route get "$address" | sed -n 's/.* src \([^ ]*\).*/\1/p'
