# shellcheck shell=bash
# Makes a layer and puts it in place. It goes on to its end where pipeline is killed, and cleans up where it
# is asked to stop. Run in mount and process namespaces of its own. Values: workshop, directory (where the layer
# is to be), lower (folders under it, topmost first), packages, programs (FROM TO FROM TO …).
: "${workshop:?}" "${directory:?}" "${lower:?}"
declare -a packages programs
set -euo pipefail
files=$workshop/image/rootfs
root=$workshop/root
leave() {
  ! mountpoint --quiet "$root" || umount --recursive "$root"
  rm -rf --one-file-system "$workshop"
}
trap leave EXIT
trap 'exit 143' TERM INT HUP
for ((at = 0; at < ${#programs[@]}; at += 2)); do
  install -D -m 755 "${programs[at]}" "$files${programs[at + 1]}"
done
if [ ${#packages[@]} -gt 0 ]; then
  mount -t overlay -o "index=off,lowerdir=$lower,upperdir=$files,workdir=$workshop/work" overlay "$root"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  inside() { chroot "$root" env DEBIAN_FRONTEND=noninteractive "$@" >&2; }
  install_packages() { inside apt-get -q -y --no-install-recommends install "${packages[@]}"; }
  # the lists are as old as the base image
  install_packages || { inside apt-get -q update && install_packages; }
  umount --recursive "$root"
  # packages, and caches of lists that the base image has already
  rm -r "$files/var/cache/apt"
fi
mv --no-target-directory "$workshop/image" "$directory"
