#!/bin/sh
while read -r _ target type _; do
  [ "$type" = cgroup ] || continue
  case "$target" in
    *memory* | *cpu | *cpuacct* | *pids* | *blkio*) mount -o remount,bind,rw "$target" ;;
  esac
done < /proc/mounts
exec /lib/systemd/systemd
