# shellcheck shell=bash
# Undoes a fault; safe to do twice. Values: id, kind, units, databases, folder.
: "${id:?}" "${kind:?}" "${folder:?}"
declare -a units databases
case $kind in
  kill:process) systemctl start --no-block "${units[@]}" ;;
  kill:database) systemctl start --no-block "${databases[@]}" ;;
  slow:database)
    systemctl stop "$id-work" 2>/dev/null
    systemctl kill --signal=SIGCONT "${databases[@]}"
    ;;
  cpu) systemctl stop "$id-work" 2>/dev/null ;;
  disk:full) rm -f "$folder/$id.fill" ;;
  network:loss) nft delete table inet "$id" 2>/dev/null ;;
esac
exit 0
