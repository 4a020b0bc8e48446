/**
 * What runs on a droplet at first contact, as text: pure. Each line may be the last one that runs; run
 * again, the scripts go on from there.
 */
import { quote } from '../../../ssh/quote.ts';

/** Where the scripts work; tests name other files. */
export interface Places {
  /** The private host key. */
  readonly key: string;
  /** Root's home. */
  readonly home: string;
}

export const ON_DROPLET: Places = { key: '/etc/ssh/ssh_host_ed25519_key', home: '/root' };

/** Ends when cloud-init has ended, with its exit code; at once where there is none. */
export const SETTLE_SCRIPT = `
command -v cloud-init >/dev/null || exit 0
cloud-init status --wait >/dev/null 2>&1; code=$?
[ "$code" = 0 ] || cloud-init status --long
exit "$code"
`;

/**
 * Lets further keys sign in, and makes a host key that waits beside the one in use; prints the public half
 * of the key that `adoptScript` brings into use or brought already. `KEY.adopted` holds the public half of
 * the key that was adopted: where it is the one in place, nothing is made (an image made from another
 * droplet brings that file too, but not its key: cloud-init has replaced it).
 */
export function offerScript({ key, home }: Places, authorizedKeys: readonly string[]): string {
  const add = authorizedKeys.map(
    (line) => `grep -qxF ${quote(line.trim())} "$file" || printf '%s\\n' ${quote(line.trim())} >> "$file"`,
  );
  return `
set -e
mkdir -p -m 700 ${home}/.ssh
file=${home}/.ssh/authorized_keys
touch "$file"; chmod 600 "$file"
[ -z "$(tail -c 1 "$file")" ] || echo >> "$file"
${add.join('\n')}
if [ ! -s ${key}.next ] && [ "$(cat ${key}.adopted 2>/dev/null)" != "$(ssh-keygen -y -f ${key})" ]; then
  rm -f ${key}.making ${key}.making.pub
  ssh-keygen -q -t ed25519 -N '' -C "$(hostname)" -f ${key}.making
  rm -f ${key}.making.pub
  sync
  mv ${key}.making ${key}.next
fi
if [ -s ${key}.next ]; then ssh-keygen -y -f ${key}.next; else ssh-keygen -y -f ${key}; fi
`;
}

/**
 * Brings the key that waits into use, as the only one of the host. The private half alone decides what the
 * host shows; the note about it stands before it moves.
 */
export function adoptScript({ key }: Places): string {
  return `
set -e
[ ! -s ${key}.next ] || ssh-keygen -y -f ${key}.next > ${key}.adopted
[ ! -s ${key}.next ] || mv ${key}.next ${key}
ssh-keygen -y -f ${key} > ${key}.pub
for other in $(dirname ${key})/ssh_host_*_key; do [ "$other" = ${key} ] || rm -f "$other" "$other.pub"; done
sync
systemctl reload ssh 2>/dev/null || systemctl restart ssh
`;
}
