# shellcheck shell=bash
# Brings the host key that waits into use, as the only one. The header sets key.
# Each line may be the last one that runs: cut off anywhere, the next run goes on.
: "${key:?}"
set -e
[ ! -s "$key.next" ] || ssh-keygen -y -f "$key.next" >"$key.adopted"
[ ! -s "$key.next" ] || mv "$key.next" "$key"
ssh-keygen -y -f "$key" >"$key.pub"
for other in "${key%/*}"/ssh_host_*_key; do [ "$other" = "$key" ] || rm -f "$other" "$other.pub"; done
sync
systemctl reload ssh 2>/dev/null || systemctl restart ssh
