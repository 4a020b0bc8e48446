# shellcheck shell=bash
# Takes an application off a host, but not its databases: the next version starts where none ever was.
# Values: app, account (that it runs as), folders (of the application), units (folder of unit files), networks
# (folder).
: "${app:?}" "${account:?}" "${units:?}" "${networks:?}"
declare -a folders
pattern="pipeline-$app@*"
systemctl list-units --all --plain --no-legend "$pattern" "pipeline-network@$app-*" |
  while read -r unit _; do
    systemctl kill --signal=SIGKILL "$unit" 2>/dev/null
    systemctl stop "$unit" 2>/dev/null
    systemctl reset-failed "$unit" 2>/dev/null
  done
find "$units" -name "$pattern" -delete
rm -rf "${networks:?}/$app-"* "${folders[@]:?}"
systemctl daemon-reload
if id "$account" >/dev/null 2>&1; then userdel "$account"; fi
