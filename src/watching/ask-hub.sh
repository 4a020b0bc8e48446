# shellcheck shell=bash
# Runs a command of the hub. Values: args, no_hub (exit code where there is none), and input for standard
# input where it gets some. The unit says which Node and which program are in use.
: "${no_hub:?}"
declare -a args
set -eu
unit=/etc/systemd/system/pipeline-hub.service
[ -e $unit ] || {
  echo 'There is no hub here.' >&2
  exit "$no_hub"
}
read -ra start < <(sed -n 's/^ExecStart=\(.*\) run$/\1/p' $unit)
if [ -v input ]; then
  "${start[@]}" "${args[@]}" <<<"$input"
else
  "${start[@]}" "${args[@]}"
fi
