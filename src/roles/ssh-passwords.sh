# shellcheck shell=bash
# Prints accounts that sign in over SSH with a password today, a name a line. Values: dropin, the file that
# ends that.
: "${dropin:?}"
[[ ! -e $dropin ]] || exit 0
settings=$(sshd -T -C user=root,host=localhost,addr=127.0.0.1 2>/dev/null) || settings=$(sshd -T)
grep -Eqx '(passwordauthentication|kbdinteractiveauthentication) yes' <<<"$settings" || exit 0
root=''
grep -qx 'permitrootlogin yes' <<<"$settings" && root=yes
while IFS=: read -r name hash _; do
  # Neither locked nor without a password.
  [[ $hash = '$'* ]] || continue
  if [[ $name != root || -n $root ]]; then echo "$name"; fi
done </etc/shadow
exit 0
