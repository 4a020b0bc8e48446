# shellcheck shell=bash
# Replaces what the database holds by a backup; then it counts as seeded. Value: sent (the backup).
: "${sent:?}" "${unit:?}"
trap 'rm -f "$sent"' EXIT
echo begun | keep seed || exit
clear_database || exit
tried 'it cannot be read' restore "$sent"
for _ in {1..60}; do
  signs_in && break
  sleep 0.25
done
signs_in || fail 'the application cannot sign in any more'
echo "done" | keep seed || exit
