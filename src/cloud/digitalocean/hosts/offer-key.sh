# shellcheck shell=bash
# Lets keys sign in, makes the host key that waits, and prints its public half. The header sets key, home and
# authorized.
: "${key:?}" "${home:?}"
declare -a authorized
set -e
[ -d "$home/.ssh" ] || mkdir -m 700 "$home/.ssh"
file=$home/.ssh/authorized_keys
touch "$file"
chmod 600 "$file"
[ -z "$(tail -c 1 "$file")" ] || echo >>"$file"
for line in "${authorized[@]}"; do grep -qxF -e "$line" "$file" || printf '%s\n' "$line" >>"$file"; done
if [ ! -s "$key.next" ] && [ "$(cat "$key.adopted" 2>/dev/null)" != "$(ssh-keygen -y -f "$key")" ]; then
  rm -f "$key.making" "$key.making.pub"
  ssh-keygen -q -t ed25519 -N '' -C "$(hostname)" -f "$key.making"
  rm -f "$key.making.pub"
  sync
  mv "$key.making" "$key.next"
fi
if [ -s "$key.next" ]; then ssh-keygen -y -f "$key.next"; else ssh-keygen -y -f "$key"; fi
