/** Where backups go, how often, and how long they stay. */
import { z } from 'zod';
import { variable } from './schema-values.ts';
import { duration } from './units.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const source = (what: string) =>
  z
    .strictObject({
      env: variable().optional().describe(`Name of the environment variable that holds ${what}.`),
      command: z
        .string()
        .min(1)
        .optional()
        .describe(`Shell command that prints ${what}, where that variable is not set.`),
    })
    .refine(({ env, command }) => env !== undefined || command !== undefined, 'needs env or command');

/** Where backups lie, as `to:` says it. */
export type Storage =
  | { readonly kind: 'folder'; readonly path: string }
  | {
      readonly kind: 'sftp';
      readonly user: string;
      readonly host: string;
      readonly port: number;
      readonly path: string;
    }
  /** `address` ends with the bucket, and a prefix where one is wanted. */
  | { readonly kind: 's3'; readonly address: string };

const WORD = `[A-Za-z0-9][A-Za-z0-9._-]*`;
const PATH = String.raw`/[^\s'"\\$\x60]*`;
const SFTP = new RegExp(`^sftp:(?:(${WORD})@)(${WORD})():(${PATH})$`);
const SFTP_URL = new RegExp(`^sftp://(?:(${WORD})@)(${WORD})(?::(\\d{1,5}))?/(${PATH})$`);

/** What `to:` means; undefined where it means nothing. */
export function storageOf(to: string): Storage | undefined {
  if (to.startsWith('s3:')) {
    const address = to.slice(3).replace(/\/+$/, '');
    if (!URL.canParse(address)) return undefined;
    const { protocol, pathname, username, search } = new URL(address);
    const plain = /^https?:$/.test(protocol) && username === '' && search === '' && pathname.length > 1;
    return plain ? { kind: 's3', address } : undefined;
  }
  const [, user = '', host = '', port = '', path = ''] = SFTP.exec(to) ?? SFTP_URL.exec(to) ?? [];
  if (host !== '') return { kind: 'sftp', user, host, port: Number(port || 22), path: trimmed(path) };
  if (!new RegExp(`^${PATH}$`).test(to) || trimmed(to) === '') return undefined;
  return { kind: 'folder', path: trimmed(to) };
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, '');
}

const FORM =
  'expected a folder on the host (/srv/backups), sftp:user@host:/path, sftp://user@host:port//path, ' +
  'or s3:https://host/bucket';

export const backupsSchema = z.strictObject({
  to: z
    .string()
    .refine((text) => storageOf(text) !== undefined, FORM)
    .describe('Folder on each host, sftp:user@host:/path, or s3:https://host/bucket.'),
  every: duration()
    .refine((ms) => ms >= MINUTE_MS && ms <= 30 * DAY_MS, 'expected 1m to 30d')
    .default(DAY_MS)
    .describe('Time from one backup to the next.'),
  keep: z
    .strictObject({
      daily: z.int().min(1).max(3650).default(7).describe('Days of which the last backup stays.'),
      weekly: z.int().min(0).max(520).default(4).describe('Weeks of which the last backup stays.'),
    })
    .prefault({})
    .describe('How long backups stay.'),
  password: z
    .union([
      source('the password'),
      z.literal('generate').describe('Made once, kept on the hosts and in .pipeline/.'),
    ])
    .default('generate')
    .describe('Encrypts the backups: { env: … }, { command: … }, or generate.'),
  credentials: source('what signs in')
    .optional()
    .describe('sftp: private SSH key. s3: access key id and secret, with a colon between them.'),
  host_key: z
    .string()
    .regex(
      /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+) [A-Za-z0-9+/=]+(\s.*)?$/,
      'expected a line like ssh-ed25519 AAAA…',
    )
    .optional()
    .describe("sftp: the server's public key. Default: what this machine's known_hosts has."),
});

export type BackupsConfig = z.output<typeof backupsSchema>;
/** A value that is never in the file. */
export type BackupSecret = NonNullable<BackupsConfig['credentials']>;
