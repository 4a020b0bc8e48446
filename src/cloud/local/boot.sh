# shellcheck shell=sh
# Boots a host once: disk, network; the command that starts the container follows. Values: image (of its own
# disk, or nothing), disk (where that is mounted), overlay (options), root, network, bridge, device, mac, address, prefix, gateway.
: "${image?}" "${disk:?}" "${overlay:?}" "${root:?}" "${network:?}" "${bridge:?}" "${device:?}" "${mac:?}" "${address:?}"
: "${prefix:?}" "${gateway:?}"
set -eu
[ -z "$image" ] || mount -o loop "$image" "$disk"
mount -t overlay -o "$overlay" overlay "$root"
: >"$network"
unshare --net="$network" true
ip link delete "$device" 2>/dev/null || true
ip -batch - <<END
link add $device type veth peer name eth0 address $mac netns $network
link set $device master $bridge up
neighbour replace $address lladdr $mac dev $bridge nud permanent
END
nsenter --net="$network" ip -batch - <<END
link set lo up
address add $address/$prefix dev eth0
link set eth0 up
route add default via $gateway
END
export SYSTEMD_NSPAWN_TMPFS_TMP=0 SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
