# shellcheck shell=bash
# Prints what shows that a host is not new: a line each. Values: apps (folder of what is kept of
# applications), backups (file: how its backups went).
: "${apps:?}" "${backups:?}"
for one in "$apps"/*/; do
  [ ! -d "$one" ] || echo "the application $(basename "$one")"
done
[ ! -e "$backups" ] || echo 'backups of its own'
[ ! -e /etc/systemd/system/pipeline-hub.service ] || echo 'the monitor'
