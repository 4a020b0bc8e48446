#!/bin/sh
set -eu
workshop=$1
root=$2
mkdir -p "$root/usr/local/share/ca-certificates"
cp -r "$workshop/ca-certificates/." "$root/usr/local/share/ca-certificates/"
chroot "$root" update-ca-certificates > /dev/null 2>&1
while read -r key; do
  [ -e "$root$key" ] || [ ! -e "$key" ] || install -D -m 644 "$key" "$root$key"
done < "$workshop/keys"
install -D -m 755 "$workshop/init" "$root/usr/lib/pipeline/init"
# every host gets keys and settings of its own
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/apt/apt.conf.d/99mmdebstrap"
# an archive's address may hold a password
grep -rlE '://[^/ ]+@' "$root/etc/apt" | xargs -r chmod 600
# no terminal, no hardware, and the network is there before the first program
for unit in getty.target console-getty.service systemd-networkd.service systemd-resolved.service \
  dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount systemd-pstore.service fstrim.timer; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
# packages that link manual pages expect the folders, though the pages are left out
for section in 1 2 3 4 5 6 7 8; do mkdir -p "$root/usr/share/man/man$section"; done
echo LANG=C.UTF-8 > "$root/etc/default/locale"
