/**
 * An application's secrets: from the environment, from a command, or generated once and kept on the hosts.
 */
import { randomInt } from 'node:crypto';
import type { SecretSource } from '../config/schema.ts';
import type { Context } from '../context.ts';
import { settingsFolder } from '../contract/places.ts';
import { Failure } from '../errors.ts';
import { runTool } from '../process/tool.ts';
import type { Connection } from '../ssh/connection.ts';
import { quote } from '../ssh/quote.ts';
import type { ReleaseHost } from './types.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export interface Secrets {
  readonly values: Readonly<Record<string, string>>;
  /** Generated ones, which every host keeps. */
  readonly kept: readonly string[];
}

/**
 * The values of all secrets. Generated ones are read from the hosts; if none has one yet, it is made here,
 * for all of them.
 * @throws Failure kind `usage` naming all that are missing.
 */
export async function resolveSecrets(
  app: string,
  sources: Readonly<Record<string, SecretSource>>,
  hosts: readonly ReleaseHost[],
  directory: string,
  context: Context,
): Promise<Secrets> {
  const generated = Object.entries(sources).flatMap(([name, source]) =>
    'generate' in source ? [[name, source.generate] as const] : [],
  );
  const known = generated.length === 0 ? {} : await keptValues(app, hosts, context);
  const missing: string[] = [];
  const values: Record<string, string> = {};
  for (const [name, source] of Object.entries(sources)) {
    if ('generate' in source) {
      values[name] = known[name] ?? randomText(source.generate);
    } else if ('env' in source) {
      const value = context.env[source.env];
      if (value === undefined || value === '')
        missing.push(`${name} (environment variable ${source.env} is not set)`);
      else values[name] = value;
    } else {
      const value = await fromCommand(source.command, directory, context);
      if (typeof value === 'string') values[name] = value;
      else missing.push(`${name} (${source.command}: ${value.reason})`);
    }
  }
  if (missing.length > 0) {
    throw new Failure(
      'usage',
      `${app}: ${missing.length === 1 ? 'a secret is' : `${missing.length} secrets are`} missing`,
      {
        step: 'secrets',
        output: missing,
        next: 'Set the variables (or sign in to your password store), then run the command again.',
      },
    );
  }
  return { values, kept: generated.map(([name]) => name) };
}

/** Every form in which a secret could appear in a script or an output. */
export function hidden(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.values(values).flatMap((value) => [
    value,
    value.replaceAll(/[\\"$`]/g, '\\$&'),
    value.replaceAll("'", "'\\''"),
  ]);
}

/** What the hosts have; the first one's value counts. */
async function keptValues(
  app: string,
  hosts: readonly ReleaseHost[],
  context: Context,
): Promise<Record<string, string>> {
  const all = await Promise.all(hosts.map(({ connection }) => readKept(app, connection, context)));
  return Object.assign({}, ...all.toReversed());
}

/** The generated secrets that a host keeps for an application, by name. @throws Failure kind `host` */
export async function readKept(
  app: string,
  connection: Connection,
  context: Context,
): Promise<Record<string, string>> {
  const folder = quote(`${settingsFolder(app)}/secrets`);
  const script = `cd ${folder} 2>/dev/null || exit 0
for name in *; do case $name in *.new | '*') ;; *) echo "$name $(cat "$name")" ;; esac; done`;
  const text = await connection.check(script, {
    label: `kept secrets of ${app}`,
    signal: context.signal,
    secretOutput: true,
  });
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line.includes(' '))
      .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  );
}

/** Letters and digits, so that no file format needs to quote it. */
function randomText(length: number): string {
  return Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}

/**
 * The command's output without its last newline, never shown. Its standard error is: it may ask for a
 * password.
 */
async function fromCommand(
  command: string,
  directory: string,
  context: Context,
): Promise<string | { readonly reason: string }> {
  const { exitCode, stdout, timedOut } = await runTool('sh', ['-c', command], context, {
    cwd: directory,
    input: 'ours',
    stderr: 'ours',
    hideOutput: true,
    timeoutMs: 60_000,
  });
  if (timedOut) return { reason: 'no answer in 60 s' };
  if (exitCode !== 0) return { reason: `exit ${exitCode}` };
  return stdout.replace(/\r?\n$/, '') || { reason: 'it printed nothing' };
}
