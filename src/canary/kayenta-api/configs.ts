/** The canary configurations that the API knows: the JSON files of a folder, read again for each request. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../errors.ts';

/** One file, as Kayenta would have stored it. */
export interface StoredConfig {
  /** `id` in the file, else the file's name without `.json`. */
  readonly id: string;
  readonly name: string;
  /** Empty: for every application. */
  readonly applications: readonly string[];
  /** When the file was changed, in milliseconds since 1970. */
  readonly updated: number;
  /** What is in the file. */
  readonly config: unknown;
}

const headSchema = z.looseObject({
  id: z.string().min(1).nullish(),
  name: z.string().min(1).nullish(),
  applications: z.array(z.string()).nullish(),
  metrics: z.array(z.unknown()).min(1),
});

/**
 * Every configuration of a folder, in the order of its files' names.
 * @param folder null: there is none
 * @throws Failure kind `usage` for a folder that cannot be read, a file that is no configuration, and an id
 *   that two files have
 */
export async function readConfigs(folder: string | null): Promise<readonly StoredConfig[]> {
  if (folder === null) return [];
  const files = (await listed(folder)).filter((file) => file.endsWith('.json')).sort();
  const configs = await Promise.all(files.map((file) => readConfig(join(folder, file))));
  for (const [index, { id }] of configs.entries()) {
    const first = configs.findIndex((config) => config.id === id);
    if (first === index) continue;
    throw new Failure('usage', `${files[first]} and ${files[index]} in ${folder} have the same id "${id}".`, {
      next: 'Give each an id of its own, or none: the name of the file then counts.',
    });
  }
  return configs;
}

async function listed(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw new Failure('usage', `The folder ${folder} cannot be read: ${reason(error)}.`, {
      cause: error,
      next: 'Give --configs a folder with canary configurations as JSON files.',
    });
  }
}

async function readConfig(path: string): Promise<StoredConfig> {
  let config: unknown;
  let updated: number;
  try {
    config = JSON.parse(await readFile(path, 'utf8'));
    updated = Math.floor((await stat(path)).mtimeMs);
  } catch (error) {
    throw notOne(path, reason(error), error);
  }
  const head = headSchema.safeParse(config);
  if (!head.success) {
    const issue = head.error.issues[0];
    throw notOne(path, `${issue?.path.join('.') || 'the document'}: ${issue?.message}`, head.error);
  }
  const id = head.data.id ?? basename(path, '.json');
  return { id, name: head.data.name ?? id, applications: head.data.applications ?? [], updated, config };
}

function notOne(path: string, why: string, cause: unknown): Failure {
  return new Failure('usage', `${path} is not a canary configuration: ${why}.`, {
    cause,
    next: 'Correct it, or move it out of the folder; docs/kayenta.md has an example.',
  });
}

const reason = (error: unknown) => (error instanceof Error ? error.message : String(error));
