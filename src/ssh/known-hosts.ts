/**
 * known_hosts: the keys that hosts must show. Written before the first connection, so that no connection is
 * made on trust.
 */
import { writeFileAtomic } from '../files.ts';

/** One host's keys under one address. */
export interface KnownHost {
  /** Host name or IP address, as `SshTarget.address` has it. */
  readonly address: string;
  readonly port: number;
  /** Public keys, `ssh-ed25519 AAAA… comment`; the comment is dropped. */
  readonly keys: readonly string[];
}

/**
 * The name under which ssh looks a host up: `[address]:port` unless the port is 22 (sshd(8), SSH_KNOWN_HOSTS
 * FILE FORMAT).
 */
export function knownHostName(address: string, port: number): string {
  return port === 22 ? address : `[${address}]:${port}`;
}

/**
 * The text of a known_hosts file, sorted, without doubles.
 * @throws RangeError for an address or a key that would write another line than the one it should.
 */
export function formatKnownHosts(hosts: readonly KnownHost[]): string {
  const lines = new Set<string>();
  for (const { address, port, keys } of hosts) {
    if (!/^[A-Za-z0-9._:%-]+$/.test(address))
      throw new RangeError(`not a host address: ${JSON.stringify(address)}`);
    for (const key of keys) {
      const match = /^([a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,2})(?: [^\n]*)?$/.exec(key.trim());
      if (match === null) throw new RangeError(`not a public key: ${JSON.stringify(key.slice(0, 80))}`);
      lines.add(`${knownHostName(address.toLowerCase(), port)} ${match[1]} ${match[2]}`);
    }
  }
  return [...lines]
    .sort()
    .map((line) => `${line}\n`)
    .join('');
}

/** Writes the file (atomically, mode 0600) where it differs. True where it did. */
export function writeKnownHosts(path: string, hosts: readonly KnownHost[]): Promise<boolean> {
  return writeFileAtomic(path, formatKnownHosts(hosts), 0o600);
}
