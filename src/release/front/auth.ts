/** Who may see a site: names with hashed passwords, as nginx reads them. */
import { createHash, scryptSync } from 'node:crypto';
import type { AppConfig } from '../../config/schema.ts';
import type { Context } from '../../context.ts';
import { settingsFolder } from '../../contract/places.ts';
import { Failure } from '../../errors.ts';
import { resolveSecrets } from '../secrets.ts';
import { sha512Crypt } from './crypt.ts';

/** Named by content on hosts, so that another password is another site. */
export interface AuthFile {
  readonly name: string;
  readonly text: string;
}

/** Where it lies on hosts. */
export function authPath(app: string, name: string): string {
  return `${settingsFolder(app)}/auth/${name}`;
}

/**
 * undefined: everybody may see it.
 * @throws Failure kind `usage`: a password is missing
 */
export async function readAuth(
  app: string,
  { site }: AppConfig,
  directory: string,
  context: Context,
): Promise<AuthFile | undefined> {
  if (Object.keys(site.auth).length === 0) return undefined;
  const { values } = await resolveSecrets(app, site.auth, [], directory, context);
  return authFile(app, values);
}

/** The same passwords give the same text, so that a second deploy changes nothing. */
export function authFile(app: string, passwords: Readonly<Record<string, string>>): AuthFile {
  const lines = Object.keys(passwords)
    .sort()
    .map((user) => `${user}:${hashed(app, user, passwords[user] ?? '')}\n`);
  const text = lines.join('');
  return { name: createHash('sha256').update(text).digest('hex').slice(0, 16), text };
}

/** The salt comes from the password too, slowly: it says no more of it than the hash. */
function hashed(app: string, user: string, password: string): string {
  const salt = scryptSync(password, `pipeline auth ${app} ${user}`, 12)
    .toString('base64')
    .replaceAll('+', '.');
  return sha512Crypt(password, salt);
}

/**
 * The file that a host has already, on the way back.
 * @throws Failure kind `usage`: it has none, and the site would be open
 */
export function keptAuth(
  app: string,
  host: string,
  { site }: AppConfig,
  names: readonly string[] = [],
): string | undefined {
  if (Object.keys(site.auth).length === 0) return undefined;
  const [name] = names;
  if (name !== undefined) return name;
  throw new Failure('usage', `${app}: ${host} has no passwords for site: auth: yet`, {
    next: `Deploy it once (pipeline deploy ${app}), or take auth: out of pipeline.yml.`,
  });
}
