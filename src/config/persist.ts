/** What of folders that outlive releases does not fit together. Pure. */
import { posix } from 'node:path';
import type { PathMistake } from './explain.ts';
import { ONE_HOST } from './persist-schema.ts';
import type { AppConfig, ConfigValues } from './schema.ts';

/** Without what the artifact has there, nothing runs. */
const NEEDED = ['node_modules', 'WEB-INF', 'META-INF'];

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
