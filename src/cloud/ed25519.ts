/** Ed25519 keys in the forms that OpenSSH reads and prints (PROTOCOL.key of OpenSSH; RFC 8032, RFC 8709). */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';

const TYPE = 'ssh-ed25519';

export interface Ed25519KeyPair {
  /** `-----BEGIN OPENSSH PRIVATE KEY-----` …, unencrypted, ends in a newline. A secret. */
  readonly privateKey: string;
  /** One line without comment: `ssh-ed25519 AAAA…`. */
  readonly publicKey: string;
}

/** A fresh key pair. */
export function generateEd25519(comment = ''): Ed25519KeyPair {
  const { privateKey } = generateKeyPairSync('ed25519');
  const jwk = privateKey.export({ format: 'jwk' });
  const seed = Buffer.from(jwk.d ?? '', 'base64url');
  const point = Buffer.from(jwk.x ?? '', 'base64url');
  return { privateKey: openSshPrivateKey(seed, point, comment), publicKey: publicKeyLine(point) };
}

/** `ssh-ed25519 AAAA…` of 32 bytes. */
export function publicKeyLine(point: Uint8Array): string {
  return `${TYPE} ${Buffer.concat([field(TYPE), field(point)]).toString('base64')}`;
}

/** The 32 bytes of an `ssh-ed25519 AAAA… comment` line; undefined for anything else. */
export function publicKeyPoint(line: string): Buffer | undefined {
  const [type, base64] = line.trim().split(/\s+/);
  if (type !== TYPE || base64 === undefined) return undefined;
  const blob = Buffer.from(base64, 'base64');
  const head = field(TYPE);
  const ok = blob.length === head.length + 36 && blob.subarray(0, head.length).equals(head);
  return ok && blob.readUInt32BE(head.length) === 32 ? blob.subarray(head.length + 4) : undefined;
}

/** MD5 fingerprint with colons, as DigitalOcean and old OpenSSH print it, of any `TYPE BASE64` line. */
export function md5Fingerprint(line: string): string {
  const blob = Buffer.from(line.trim().split(/\s+/)[1] ?? '', 'base64');
  return (createHash('md5').update(blob).digest('hex').match(/../g) ?? []).join(':');
}

/**
 * The public line that belongs to an unencrypted OpenSSH ed25519 private key; undefined where the text is
 * something else.
 */
export function publicKeyOf(privateKey: string): string | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END OPENSSH PRIVATE KEY-----/.exec(
    privateKey,
  )?.[1];
  const bytes = Buffer.from(body ?? '', 'base64');
  // The public half stands first, unencrypted even where the private half is not.
  const marker = bytes.indexOf(field(TYPE));
  const start = marker + field(TYPE).length + 4;
  return marker < 0 || bytes.length < start + 32
    ? undefined
    : publicKeyLine(bytes.subarray(start, start + 32));
}

/** The private key file's text (openssh-key-v1, cipher none). */
function openSshPrivateKey(seed: Buffer, point: Buffer, comment: string): string {
  const check = randomBytes(4);
  const inner = Buffer.concat([
    ...[check, check, field(TYPE), field(point), field(Buffer.concat([seed, point])), field(comment)],
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, index) => index + 1));
  const count = Buffer.from([0, 0, 0, 1]);
  const blob = Buffer.concat([
    ...[Buffer.from('openssh-key-v1\0'), field('none'), field('none'), field(''), count],
    ...[field(Buffer.concat([field(TYPE), field(point)])), field(Buffer.concat([inner, padding]))],
  ]);
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join(
    '\n',
  );
}

/** A string of the SSH protocol: length, then bytes (RFC 4251, section 5). */
function field(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
