# shellcheck shell=bash
# Prints the newest backup in a folder; nothing where there is none. Values: backups (folder), suffix.
: "${backups:?}" "${suffix:?}"
# shellcheck disable=SC2012 # pipeline alone names files here, and names have no line break
newest=$(ls -1t "$backups"/*."$suffix" 2>/dev/null | head -n 1)
if [ -n "$newest" ]; then cat "$newest"; fi
