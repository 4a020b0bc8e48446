# shellcheck shell=bash
# What the agent says of itself: the last line of its journal, or that it does not run.
[ -e /etc/systemd/system/pipeline-agent.service ] || {
  echo 'there is no agent'
  exit 0
}
state=$(systemctl is-active pipeline-agent || true)
[ "$state" = active ] || printf 'the agent is %s: ' "$state"
journalctl --quiet --no-pager --output=cat --lines=1 --unit=pipeline-agent
