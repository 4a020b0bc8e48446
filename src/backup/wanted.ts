/** What a host needs for its backups: its plan, and secrets, resolved here. */
import { randomInt } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type BackupSecret,
  type BackupsConfig,
  type Config,
  type SecretSource,
  storageOf,
} from '../config/schema.ts';
import type { Context } from '../context.ts';
import { BACKUP_PASSWORD } from '../contract/backup-paths.ts';
import { Failure } from '../errors.ts';
import { writeFileAtomic } from '../files.ts';
import type { Resource } from '../host/resource.ts';
import { runTool } from '../process/tool.ts';
import { resolveSecrets } from '../release/index.ts';
import { type BackupParams, backupResources } from '../roles/backup.ts';
import type { Connection } from '../ssh/connection.ts';
import { type BackedUpHost, backupPlan } from './coverage.ts';

const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789';
const LENGTH = 40;

/** What `backups:` asks for, before any host was asked. */
export interface GivenBackups {
  readonly config: Config & { readonly backups: BackupsConfig };
  /** undefined: it is generated, and whoever has it keeps it. */
  readonly password: string | undefined;
  readonly sftp: BackupParams['sftp'];
  readonly s3: string | undefined;
}

/** All of it. */
export interface Backups extends GivenBackups {
  readonly password: string;
}

/**
 * Reads what `backups:` names from the environment and from commands. Touches nothing.
 * @returns undefined where there are no backups
 * @throws Failure `usage` naming all that are missing
 */
export async function givenBackups(config: Config, context: Context): Promise<GivenBackups | undefined> {
  const { backups } = config;
  if (backups === undefined) return undefined;
  const { password, credentials } = backups;
  const sources: Record<string, SecretSource> = {
    ...(password === 'generate' ? {} : { password: sourceOf(password, context) }),
    ...(credentials === undefined ? {} : { credentials: sourceOf(credentials, context) }),
  };
  const { values } = await resolveSecrets('backups', sources, [], config.directory, context);
  const storage = storageOf(backups.to);
  const own = values.credentials;
  const sftp =
    storage?.kind === 'sftp' && own !== undefined
      ? { key: own, knownHosts: await serverKeys(storage.host, storage.port, backups.host_key, context) }
      : undefined;
  if (storage?.kind === 's3' && own !== undefined && !/^[^:\s]+:\S+$/.test(own.trim()))
    throw new Failure('usage', 'backups.credentials is not an id and a secret with a colon between them', {
      next: 'Give it like ID:SECRET.',
    });
  const s3 = storage?.kind === 's3' ? own : undefined;
  return { config: { ...config, backups }, password: values.password, sftp, s3 };
}

/** The variable where it is set, else the command. */
function sourceOf({ env, command }: BackupSecret, context: Context): SecretSource {
  const isSet = env !== undefined && (context.env[env] ?? '') !== '';
  if (command !== undefined && !isSet) return { command };
  return { env: env ?? '' };
}

/** Lines for `known_hosts`. @throws Failure `usage`: nobody knows the server's key */
async function serverKeys(
  host: string,
  port: number,
  given: string | undefined,
  context: Context,
): Promise<string> {
  const name = port === 22 ? host : `[${host}]:${port}`;
  if (given !== undefined) return `${name} ${given.split(/\s+/).slice(0, 2).join(' ')}\n`;
  const { stdout } = await runTool('ssh-keygen', ['-F', name], context);
  const keys = stdout.split('\n').flatMap((line) => {
    const [, kind, key] = line.trim().split(/\s+/);
    return line.startsWith('#') || key === undefined ? [] : [`${name} ${kind} ${key}\n`];
  });
  if (keys.length > 0) return keys.join('');
  throw new Failure('usage', `the key of the server ${name}, where backups go, is not known`, {
    next:
      `Give backups.host_key (ssh-keyscan ${host} shows it; compare it with what the server says), ` +
      'or ssh there once.',
  });
}

/** Where this checkout keeps a password that was generated. */
function passwordFile(config: Pick<Config, 'directory'>): string {
  return join(config.directory, '.pipeline', 'backup-password');
}

/**
 * The password that was generated: a host's, else this checkout's, else a new one, which both get.
 * @param keep write it down here; without that a plan only shows that it would be written
 * @throws Failure `usage`: host and checkout have different ones
 */
export async function withPassword(
  given: GivenBackups,
  connections: readonly Connection[],
  context: Context,
  { keep }: { readonly keep: boolean },
): Promise<Backups> {
  if (given.password !== undefined) return { ...given, password: given.password };
  const file = passwordFile(given.config);
  const here = await readFile(file, 'utf8').then(
    (text) => text.trim(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    },
  );
  const there = await Promise.all(connections.map((one) => passwordOn(one, context)));
  const theirs = there.find((one) => one !== undefined);
  if (here !== undefined && theirs !== undefined && here !== theirs)
    throw new Failure('usage', `${file} is not the password that the hosts have`, {
      next: `The hosts' is the one that their backups need. Move the file away, then run the command again.`,
    });
  const password = theirs ?? here ?? randomPassword();
  if (keep && here === undefined) {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFileAtomic(file, `${password}\n`, 0o600);
  }
  return { ...given, password };
}

async function passwordOn(connection: Connection, { signal }: Context): Promise<string | undefined> {
  const options = { label: 'password of the backups', signal, secretOutput: true };
  const { stdout } = await connection.script(`cat ${BACKUP_PASSWORD} 2>/dev/null || true`, options);
  return stdout.trim() === '' ? undefined : stdout.trim();
}

function randomPassword(): string {
  return Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}

/** A host with what its backups need; as it is where there are none. */
export function withBackups<
  T extends { readonly roles: readonly string[]; readonly resources: readonly Resource[] },
>(host: T, backups: Backups | undefined, at: BackedUpHost): T {
  if (backups === undefined) return host;
  const { config, password, sftp, s3 } = backups;
  const plan = backupPlan(config, at);
  const resources = [...host.resources, ...backupResources({ plan, password, sftp, s3 })];
  return { ...host, roles: [...host.roles, 'backup'], resources };
}
