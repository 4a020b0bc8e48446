/** What a release's commands find: programs and variables of its language. Pure. */
import { posix } from 'node:path';
import type { Manifest } from './manifest.ts';

/** Programs that run JavaScript, and come to hosts from npm's registry. */
export type EngineName = 'node' | 'bun' | 'deno';

/** What `node` of a manifest stands for: `20.11.1` is Node's, `bun-1.4.5` is Bun's. */
export function engineOf(text: string): { readonly name: EngineName; readonly version: string } {
  const [, name = 'node', version = text] = /^(bun|deno)-(.*)$/.exec(text) ?? [];
  return { name: name as EngineName, version };
}

/**
 * Where a release's commands find their programs, before the host's.
 * @param folder of the release, or the link to it
 */
export function toolFolders(manifest: Manifest, folder: string): readonly string[] {
  if (manifest.command?.lock != null) return [`${folder}/dependencies/bin`];
  // Where `go build` puts them; Procfiles name them without a folder.
  if (manifest.command?.language === 'go') return [posix.join(folder, 'app', manifest.directory, 'bin')];
  if (manifest.node === null) return [];
  return [`${folder}/node/bin`, posix.join(folder, 'app', manifest.directory, 'node_modules/.bin')];
}

/** What a service on Deno imports, fetched while it was built; relative to its folder. */
export const DENO_MODULES = '.deno';

/** What the language's own tools read; `env` of the definition overrules it. */
export function ownVariables(manifest: Manifest, folder: string): readonly string[] {
  if (manifest.runtime === 'node') return ['NODE_ENV=production'];
  const { language, lock } = manifest.command ?? { language: null, lock: null };
  if (language === 'python') return ['PYTHONUNBUFFERED=1'];
  if (language === 'bun') return ['NODE_ENV=production', 'DO_NOT_TRACK=1'];
  if (language === 'deno') {
    const modules = posix.join(folder, 'app', manifest.directory, DENO_MODULES);
    return [`DENO_DIR=${modules}`, 'DENO_NO_UPDATE_CHECK=1', 'NODE_ENV=production'];
  }
  if (language !== 'ruby') return [];
  // Rails' settings of Puma, and its cache of code, would write into the release.
  const outside = ['PIDFILE=/tmp/server.pid', 'BOOTSNAP_CACHE_DIR=/tmp/bootsnap'];
  const rails = ['RAILS_ENV=production', 'RAILS_LOG_TO_STDOUT=1', ...outside];
  const production = ['RACK_ENV=production', ...rails];
  if (lock === null) return production;
  return [...production, ...bundlerVariables(`${folder}/dependencies`)];
}

/** Where Bundler finds gems that were installed into `folder`, and its configuration that overrules these. */
export function bundlerVariables(folder: string): readonly string[] {
  const places = [`BUNDLE_APP_CONFIG=${folder}`, `BUNDLE_PATH=${folder}/gems`];
  return [...places, 'BUNDLE_DEPLOYMENT=true', 'BUNDLE_WITHOUT=development:test'];
}
