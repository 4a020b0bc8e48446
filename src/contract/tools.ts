/** What a release's commands find: programs and variables of its language. Pure. */
import { posix } from 'node:path';
import type { Manifest } from './manifest.ts';

/**
 * Where a release's commands find their programs, before the host's.
 * @param folder of the release, or the link to it
 */
export function toolFolders(manifest: Manifest, folder: string): readonly string[] {
  if (manifest.command?.lock != null) return [`${folder}/dependencies/bin`];
  // Where `go build` puts them; Procfiles name them without a folder.
  if (manifest.command?.language === 'go') return [posix.join(folder, 'app', manifest.directory, 'bin')];
  if (manifest.runtime !== 'node') return [];
  return [`${folder}/node/bin`, posix.join(folder, 'app', manifest.directory, 'node_modules/.bin')];
}

/** What the language's own tools read; `env` of the definition overrules it. */
export function ownVariables(manifest: Manifest, folder: string): readonly string[] {
  if (manifest.runtime === 'node') return ['NODE_ENV=production'];
  const { language, lock } = manifest.command ?? { language: null, lock: null };
  if (language === 'python') return ['PYTHONUNBUFFERED=1'];
  if (language !== 'ruby') return [];
  const production = ['RACK_ENV=production', 'RAILS_ENV=production', 'RAILS_LOG_TO_STDOUT=1'];
  if (lock === null) return production;
  const gems = [`BUNDLE_PATH=${folder}/dependencies/gems`, 'BUNDLE_DEPLOYMENT=true'];
  return [...production, ...gems, 'BUNDLE_WITHOUT=development:test'];
}
