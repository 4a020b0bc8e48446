/** Services on Bun and Deno: found, installed, built and started by their own conventions. */
import { describe, expect, it } from 'vitest';
import { engineSteps } from '../../src/build/engine-build.ts';
import { recipe } from '../../src/build/recipe.ts';
import type { SourceFiles } from '../../src/build/source-files.ts';
import { appSchema } from '../../src/config/schema.ts';
import { Failure } from '../../src/errors.ts';

const files = (text: Record<string, string>): SourceFiles => ({ existing: new Set(Object.keys(text)), text });
const decide = (definition: object, text: Record<string, string>) =>
  recipe('app', appSchema.parse({ source: 'x', hosts: ['web'], ...definition }), files(text));
const failure = (definition: object, text: Record<string, string>): Failure => {
  try {
    throw new Error(`it worked: ${JSON.stringify(decide(definition, text))}`);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
};
const bun = (manifest: object) => ({ 'package.json': JSON.stringify(manifest), 'bun.lock': '{}' });

describe('Bun', () => {
  it('is found by its lock file, in the version that package.json pins', () => {
    const made = decide({}, bun({ packageManager: 'bun@1.1.3', scripts: { start: 'bun run index.ts' } }));
    expect(made).toMatchObject({
      runtime: 'command',
      language: 'bun',
      engine: { name: 'bun', range: '1.1.3', from: 'packageManager', install: '' },
      build: null,
      start: 'bun run index.ts',
    });
  });

  it('is found by its start script, and needs no lock file without dependencies', () => {
    const made = decide({}, { 'package.json': '{"scripts":{"start":"bun ./src/index.ts"}}' });
    expect(made).toMatchObject({ language: 'bun', engine: { install: null, range: '*' } });
  });

  it('stands for node in scripts of others, and knows what its generator makes', () => {
    expect(decide({}, bun({ scripts: { start: 'next start', build: 'next build' } }))).toMatchObject({
      build: 'bun run build',
      start: 'bun --bun run start',
    });
    expect(decide({}, { ...bun({ module: 'index.ts' }), 'index.ts': '' })).toMatchObject({
      start: 'bun index.ts',
    });
  });

  it('leaves alone what npm installs, and what another language serves', () => {
    const both = { ...bun({ main: 'a.js' }), 'package-lock.json': '{"lockfileVersion":3}' };
    expect(decide({}, both)).toMatchObject({ runtime: 'node' });
    const rails = { ...bun({}), Gemfile: '', 'Gemfile.lock': 'GEM\n' };
    expect(decide({ start: 'puma' }, rails)).toMatchObject({ language: 'ruby' });
  });

  it('takes the lock file of a workspace from its root', () => {
    const made = decide(
      { runtime: 'bun', directory: 'api' },
      { api: '', 'bun.lock': '{}', 'api/package.json': '{"scripts":{"start":"bun a.ts"}}' },
    );
    expect(made).toMatchObject({ engine: { install: '' }, directory: 'api' });
  });

  it('installs for the build, and then for production alone', () => {
    const engine = { name: 'bun', range: '*', from: 'default', install: '', entries: [] } as const;
    const labels = (build: string | null) => engineSteps(engine, build, '').map(({ argv }) => argv.join(' '));
    expect(labels(null)).toEqual(['bun install --frozen-lockfile --production']);
    expect(labels('bun run build')).toEqual([
      'bun install --frozen-lockfile',
      'sh -c bun run build',
      'bun install --frozen-lockfile --production',
    ]);
  });
});

describe('Deno', () => {
  const text = {
    'deno.jsonc':
      '{ // as people write it\n "tasks": { "start": "deno run -A main.ts" }, "imports": { "a": "npm:a" },}',
    'deno.lock': '{}',
  };

  it('is found by its file, and fetches what the start command imports', () => {
    expect(decide({}, { ...text, '.tool-versions': 'deno 2.1.4\n' })).toMatchObject({
      language: 'deno',
      engine: { name: 'deno', range: '2.1.4', install: '', entries: ['main.ts'] },
      build: null,
      start: 'deno run -A main.ts',
    });
  });

  it('runs a task that is more than one command by its name', () => {
    const tasks = { start: { command: 'FOO=1 deno run main.ts' }, build: 'deno run build.ts' };
    expect(decide({}, { 'deno.json': JSON.stringify({ tasks }) })).toMatchObject({
      build: 'deno task build',
      start: 'deno task start',
    });
  });
});

it.each([
  [
    'a missing lock file',
    {},
    { 'deno.json': '{"imports":{"a":"npm:a"}}' },
    'has no deno.lock',
    'deno install',
  ],
  [
    'dependencies that nothing fixes',
    {},
    { 'package.json': '{"scripts":{"start":"bun a.ts"},"dependencies":{"a":"1"}}' },
    'has no bun.lock',
    'bun install && git add bun.lock',
  ],
  ['a file that is no JSON', {}, { 'deno.json': '{' }, 'deno.json cannot be read', 'Correct it'],
  ['no start', {}, { 'deno.json': '{}' }, 'how the service is started', 'deno run'],
  [
    'a build on the host',
    { build_on: 'host' },
    bun({ module: 'a.ts' }),
    'build_on is host',
    'Remove build_on',
  ],
])('refuses %s, saying what to do', (_, definition, source, message, next) => {
  const found = failure(definition, source as Record<string, string>);
  expect(found).toMatchObject({ kind: 'usage', exitCode: 2 });
  expect(found.message).toContain(message);
  expect(found.next).toContain(next);
});
