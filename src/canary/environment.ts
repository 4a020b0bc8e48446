/** The environment of a service under observation: the port, what the definition says, and its secrets. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { AppConfig, SecretSource } from '../config/schema.ts';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';

export interface ServiceEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** Values that must not be shown. */
  readonly secrets: readonly string[];
}

/** The port that the service takes on its host: its own, where it reads none from the environment. */
export const DEFAULT_PORT = 3000;

/** @throws Failure kind `usage` for a secret whose source has none. */
export async function serviceEnvironment(
  app: string,
  definition: AppConfig,
  context: Context,
): Promise<ServiceEnvironment> {
  const entries = await Promise.all(
    Object.entries(definition.secrets).map(
      async ([name, source]): Promise<[string, string]> => [name, await secretOf(app, name, source, context)],
    ),
  );
  return {
    env: {
      ...definition.env,
      ...Object.fromEntries(entries),
      [definition.port_variable]: String(definition.fixed_port ?? DEFAULT_PORT),
    },
    secrets: entries.map(([, value]) => value),
  };
}

/** Generated ones live as long as the experiment. */
async function secretOf(app: string, name: string, source: SecretSource, context: Context): Promise<string> {
  if ('generate' in source)
    return randomBytes(source.generate).toString('base64url').slice(0, source.generate);
  if ('env' in source) {
    const value = context.env[source.env];
    if (value !== undefined && value !== '') return value;
    throw new Failure('usage', `The secret ${name} of ${app} comes from ${source.env}, which is not set.`, {
      next: `export ${source.env}=…`,
    });
  }
  try {
    const { stdout } = await promisify(execFile)('sh', ['-c', source.command], { signal: context.signal });
    return stdout.replace(/\r?\n$/, '');
  } catch (error) {
    throw new Failure('usage', `The command for the secret ${name} of ${app} failed.`, {
      next: `Try it by hand: ${source.command}`,
      output: String((error as { stderr?: unknown }).stderr ?? '')
        .split('\n')
        .filter((line) => line !== '')
        .slice(-5),
      cause: error,
    });
  }
}
