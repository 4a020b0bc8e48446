# shellcheck shell=bash
# What the host is. Nothing is changed.
(
  # shellcheck source=/dev/null
  . /etc/os-release && printf 'os\t%s\t%s\t%s\n' "${ID-}" "${VERSION_ID-}" "${VERSION_CODENAME-}"
) 2>/dev/null
printf 'architecture\t%s\n' "$(dpkg --print-architecture 2>/dev/null)"
while read -r key value _; do
  [[ $key = MemTotal: ]] && printf 'memory\t%s\n' "$((value * 1024))"
done </proc/meminfo
for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
  [[ -r $file ]] && printf 'memory\t%s\n' "$(<"$file")"
done
printf 'cpus\t%s\n' "$(nproc)"
printf 'filesystem\t%s\n' "$(stat -f -c '%a %b %S' /)"
printf 'cgroup\t%s\n' "$(stat -f -c %T /sys/fs/cgroup)"
[[ -d /run/systemd/system ]] && echo systemd
[[ -r /run/systemd/container ]] && printf 'container\t%s\n' "$(</run/systemd/container)"
[[ -e /.dockerenv ]] && printf 'container\tdocker\n'
if [[ -x /usr/lib/systemd/systemd-timesyncd || -x /lib/systemd/systemd-timesyncd ]]; then
  printf 'clock\ttimesyncd\n'
fi
[[ -x /usr/sbin/ntpd ]] && printf 'clock\tntp\n'
[[ -x /usr/sbin/chronyd ]] && printf 'clock\tchrony\n'
[[ -e /proc/net/if_inet6 ]] || echo no-ipv6
