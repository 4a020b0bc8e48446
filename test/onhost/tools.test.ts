/** What commands of a release find, by language. */
import { expect, it } from 'vitest';
import type { Manifest } from '../../src/contract/manifest.ts';
import { ownVariables, toolFolders } from '../../src/contract/tools.ts';
import { NEW, placed } from './orders.ts';

const manifest = (more: Partial<Manifest>): Manifest => ({ ...placed(NEW, 'green').manifest, ...more });
type Language = NonNullable<Manifest['command']>['language'];
const command = (language: Language, lock: string | null, node: string | null = null) =>
  manifest({ runtime: 'command', node, directory: 'api', command: { language, lock, build: null } });

it.each([
  ['Node', manifest({}), ['/r/node/bin', '/r/app/node_modules/.bin'], ['NODE_ENV=production']],
  ['Python', command('python', 'x'), ['/r/dependencies/bin'], ['PYTHONUNBUFFERED=1']],
  ['Go', command('go', null), ['/r/app/api/bin'], []],
  [
    'Deno',
    command('deno', null, 'deno-2.9.6'),
    ['/r/node/bin', '/r/app/api/node_modules/.bin'],
    ['DENO_DIR=/r/app/api/.deno', 'DENO_NO_UPDATE_CHECK=1', 'NODE_ENV=production'],
  ],
  ['any other', command(null, null), [], []],
])('%s', (_language, of, folders, variables) => {
  expect(toolFolders(of, '/r')).toEqual(folders);
  expect(ownVariables(of, '/r')).toEqual(variables);
});

it('Ruby has its gems, in production', () => {
  expect(ownVariables(command('ruby', 'x'), '/r')).toEqual(
    expect.arrayContaining([
      'RAILS_ENV=production',
      'BUNDLE_APP_CONFIG=/r/dependencies',
      'BUNDLE_PATH=/r/dependencies/gems',
    ]),
  );
});
