# shellcheck shell=bash
# Owns the host's control groups in every hierarchy and boots it until it powers off. Values: lock_file,
# wanted (file), boot_script, limits_script, version (of control groups), tops (groups), memory and cpu
# (groups with such a limit), memory_bytes, cpu_quota.
: "${lock_file:?}" "${wanted:?}" "${boot_script:?}" "${limits_script:?}" "${version:?}" "${memory_bytes:?}"
: "${cpu_quota:?}"
declare -a tops memory cpu
set -u
exec 9>"$lock_file"
flock --nonblock 9 || exit 0
[ -e "$wanted" ] || exit 0
limit() { # GROUP FILE VALUE: where the kernel has that limit
  [ ! -e "$1/$2" ] || echo "$3" >"$1/$2" || exit
}
join_legacy() {
  local group level file
  mkdir -p "${tops[@]}" || exit
  for group in "${memory[@]}"; do
    limit "$group" memory.limit_in_bytes "$memory_bytes"
    limit "$group" memory.memsw.limit_in_bytes "$memory_bytes"
  done
  for group in "${cpu[@]}"; do limit "$group" cpu.cfs_quota_us "$cpu_quota"; done
  for group in "${tops[@]}"; do
    # A group of the cpuset hierarchy takes no process before it is told processors and memory nodes, from the
    # top down.
    if [ -e "$group/cpuset.cpus" ]; then
      for level in "$group/../.." "$group/.." "$group"; do
        for file in cpuset.cpus cpuset.mems; do
          [ -n "$(cat "$level/$file")" ] || cat "$level/../$file" >"$level/$file"
        done
      done
    fi
    echo $$ >"$group/cgroup.procs" || exit
  done
}
join_unified() {
  local top=${tops[0]} level controller
  mkdir -p "$top/loop" "$top/machine" || exit
  # Controllers are handed down from level to level; a group that hands down may hold no process itself, hence
  # `loop` and `machine`.
  for level in "$top/../../.." "$top/../.." "$top/.." "$top"; do
    for controller in memory cpu pids io; do echo "+$controller" >"$level/cgroup.subtree_control"; done
  done 2>/dev/null
  limit "$top" memory.max "$memory_bytes"
  limit "$top" memory.swap.max 0
  limit "$top" cpu.max "$cpu_quota 100000"
  echo $$ >"$top/loop/cgroup.procs" || exit
}
boot() ( # the lock is not handed to the host, which would hold it after its supervisor
  exec 9>&-
  # systemd-nspawn needs a group without other processes, since it makes groups in it and hands them
  # controllers.
  [ "$version" = 1 ] || echo "$BASHPID" >"${tops[0]}/machine/cgroup.procs" || exit
  exec unshare --mount --propagation slave sh "$boot_script"
)
if [ "$version" = 1 ]; then join_legacy; else join_unified; fi
while [ -e "$wanted" ]; do
  if [ "$version" = 2 ]; then sh "$limits_script" 9>&- & fi
  code=0
  boot || code=$?
  # systemd-nspawn ends with 133 when the host reboots.
  [ "$code" -eq 133 ] || exit "$code"
done
