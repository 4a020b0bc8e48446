/**
 * What runs on a droplet at first contact, as text: pure. Each line may be the last one that runs; run
 * again, the scripts go on from there.
 */
import { withValues } from '../../../ssh/script.ts';
import adopt from './adopt-key.sh' with { type: 'text' };
import offer from './offer-key.sh' with { type: 'text' };
import settle from './settle.sh' with { type: 'text' };

/** Where the scripts work; tests name other files. */
export interface Places {
  /** The private host key. */
  readonly key: string;
  /** Root's home. */
  readonly home: string;
}

export const ON_DROPLET: Places = { key: '/etc/ssh/ssh_host_ed25519_key', home: '/root' };

/** Ends when cloud-init has ended, with its exit code; at once where there is none. */
export const SETTLE_SCRIPT = settle;

/**
 * Lets further keys sign in, and makes a host key that waits beside the one in use; prints the public half
 * of the key that `adoptScript` brings into use or brought already. `KEY.adopted` holds the public half of
 * the key that was adopted: where it is the one in place, nothing is made (an image made from another
 * droplet brings that file too, but not its key: cloud-init has replaced it).
 */
export function offerScript({ key, home }: Places, authorizedKeys: readonly string[]): string {
  return withValues(offer, { key, home, authorized: authorizedKeys.map((line) => line.trim()) });
}

/**
 * Brings the key that waits into use, as the only one of the host. The private half alone decides what the
 * host shows; the note about it stands before it moves.
 */
export function adoptScript({ key }: Places): string {
  return withValues(adopt, { key });
}
