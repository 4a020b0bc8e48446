# shellcheck shell=bash
# Does a fault on this host, and sees to it that it is undone, whoever is there then. Values: id, undo
# (program), seconds, kind, amount, units (of the application), databases (units), from (the proxy's address),
# folder.
: "${id:?}" "${undo:?}" "${seconds:?}" "${kind:?}" "${amount?}" "${from:?}" "${folder:?}"
declare -a units databases
mkdir -p "$folder" && printf '%s\n' "$undo" >"$folder/$id.sh" || exit
# What a killed experiment left.
systemctl stop "$id.timer" 2>/dev/null
bash "$folder/$id.sh"
systemctl reset-failed "$id.service" "$id-work.service" 2>/dev/null
systemd-run --quiet --collect --unit "$id" --on-active="$seconds" --timer-property=AccuracySec=100ms \
  bash "$folder/$id.sh" || exit
case $kind in
  kill:process) systemctl kill --signal=SIGKILL "${units[@]}" ;;
  kill:database) systemctl kill --signal=SIGKILL "${databases[@]}" ;;
  slow:database)
    # shellcheck disable=SC2016 # another bash reads it
    # It works for 5 ms and then waits, so whoever asks waits that long too.
    systemd-run --quiet --collect --unit "$id-work" bash -c '
      wait=$1; shift
      while :; do
        systemctl kill --signal=SIGSTOP "$@"; sleep "$wait"; systemctl kill --signal=SIGCONT "$@"; sleep 0.005
      done' fault "$amount" "${databases[@]}"
    ;;
  cpu)
    # shellcheck disable=SC2016 # another bash reads it
    systemd-run --quiet --collect --unit "$id-work" --property=CPUQuota="$amount" --property=CPUWeight=1000 \
      bash -c 'for _ in $(seq "$(nproc)"); do (while :; do :; done) & done; wait'
    ;;
  disk:full)
    fallocate -l "$(($(df -B1 --output=avail "$folder" | tail -n 1) - 65536))" "$folder/$id.fill"
    ;;
  network:loss)
    nft -f - <<END
table inet $id {
  chain input {
    type filter hook input priority -5
    ip saddr $from numgen random mod 1000 < $amount drop
  }
}
END
    ;;
esac
