/** Folders of an application that outlive its releases: what can be said of them, and what cannot be. */
import { posix } from 'node:path';
import { z } from 'zod';
import type { PathMistake } from './explain.ts';
import type { AppConfig, ConfigValues } from './schema.ts';

const FOLDER = /^(?!\.{1,2}(\/|$))[A-Za-z0-9_.@+-]+(\/(?!\.{1,2}(\/|$))[A-Za-z0-9_.@+-]+)*\/?$/;
/** Without what the artifact has there, nothing runs. */
const NEEDED = ['node_modules', 'WEB-INF', 'META-INF'];

export const persistSchema = z
  .array(
    z
      .string()
      .regex(FOLDER, 'expected a folder below `directory`, like uploads or public/media')
      .transform((folder) => folder.replace(/\/$/, '')),
  )
  .default([])
  .describe(
    'Folders that outlive releases, relative to the directory (tomcat: to the WAR), e.g. uploads. What the ' +
      'artifact has there is copied once.',
  );

/** Why several hosts cannot have such folders, and what can be done instead. */
export const ONE_HOST =
  'lies on the disk of one host, and other hosts would lack it: keep such files in object storage (S3) or in a ' +
  'database, or give the application one host';

/** Mistakes of one application. */
export function checkPersist(name: string, app: AppConfig, hosts: ConfigValues['hosts']): PathMistake[] {
  const { persist, files } = app;
  const at = (index: number) => ['apps', name, 'persist', index];
  const machines = app.hosts.reduce((sum, host) => sum + (hosts[host]?.count ?? 1), 0);
  const laid = Object.keys(files).map((path) => posix.normalize(path));
  return persist.flatMap((folder, index): PathMistake[] => {
    const say = (message: string) => [{ path: at(index), message }];
    if (machines > 1) return say(`"${folder}" ${ONE_HOST}`);
    if (NEEDED.includes(folder)) return say(`"${folder}" comes with each release: name a folder below it`);
    const other = persist.slice(0, index).find((one) => overlap(one, folder));
    if (other !== undefined) return say(`"${folder}" and "${other}" overlap: one of them must go`);
    const file = laid.find((path) => overlap(path, folder));
    return file === undefined ? [] : say(`"${file}" of files: lies in "${folder}": one of them must go`);
  });
}

function overlap(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}
