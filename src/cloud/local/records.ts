/** What is written down about environments and hosts on this machine: only what cannot be seen by looking. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type EnvironmentLayout, hostLayout, type LocalSettings, layoutAt } from './settings.ts';

const environmentRecord = z.object({
  project: z.string(),
  environment: z.string(),
  owner: z.string(),
  /** Folder of pipeline.yml when the environment was made. */
  directory: z.string(),
  /** A /24, kept for the environment's life, so that addresses stay. */
  subnet: z.string(),
});
export type EnvironmentRecord = z.infer<typeof environmentRecord>;

const hostRecord = z.object({
  name: z.string(),
  group: z.string(),
  address: z.string(),
  /** Folder of the base image that the disk lies on. */
  base: z.string(),
  /** Folders of the layers between them, topmost first; absent on hosts of earlier versions. */
  layers: z.array(z.string()).optional(),
  /** Size of its own disk; absent where it shares this machine's. */
  diskBytes: z.number().optional(),
  /** Codename of its system; absent on hosts of earlier versions. */
  release: z.string().optional(),
  /** Public key of the host. */
  hostKey: z.string(),
  memoryBytes: z.number(),
  cpus: z.number(),
  /** Keys of ours in root's authorized_keys. */
  authorizedKeys: z.array(z.string()),
  /** Digest of the machine's settings that it was handed last. */
  settings: z.string(),
});
export type HostRecord = z.infer<typeof hostRecord>;

/** undefined where there is none, or one that a crash or somebody's editor damaged. */
export function readEnvironmentRecord(layout: EnvironmentLayout): Promise<EnvironmentRecord | undefined> {
  return read(layout.recordFile, environmentRecord);
}

export function readHostRecord(file: string): Promise<HostRecord | undefined> {
  return read(file, hostRecord);
}

/** Every environment on this machine that has a folder, with its record where it got that far. */
export async function listEnvironments(
  settings: LocalSettings,
): Promise<{ layout: EnvironmentLayout; record: EnvironmentRecord | undefined }[]> {
  const projects = await folders(settings.stateDirectory);
  const found = await Promise.all(
    projects.map(async (project) =>
      Promise.all(
        (await folders(join(settings.stateDirectory, project))).map(async (environment) => {
          const layout = layoutAt(settings, project, environment);
          return { layout, record: await readEnvironmentRecord(layout) };
        }),
      ),
    ),
  );
  return found.flat();
}

/** Names of the hosts that have a folder, complete or not. */
export function listHosts(layout: EnvironmentLayout): Promise<string[]> {
  return folders(layout.directory);
}

/** Folders of the images that a host's disk lies on, topmost first. */
export function imagesUnder({ base, layers = [] }: Pick<HostRecord, 'base' | 'layers'>): string[] {
  return [...layers, base];
}

/** Folders of the images that disks of hosts lie on. */
export async function imagesInUse(settings: LocalSettings): Promise<string[]> {
  const environments = await listEnvironments(settings);
  const hosts = await Promise.all(
    environments.map(async ({ layout }) => {
      const names = await listHosts(layout);
      return Promise.all(names.map((name) => readHostRecord(hostLayout(layout, name).recordFile)));
    }),
  );
  return hosts.flat().flatMap((record) => (record === undefined ? [] : imagesUnder(record)));
}

async function read<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.safeParse(JSON.parse(await readFile(file, 'utf8'))).data;
  } catch (error) {
    const missing = ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (missing || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Names of the folders in a folder, sorted; none where it does not exist. */
export async function folders(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
