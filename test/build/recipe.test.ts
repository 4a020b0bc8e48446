import { describe, expect, it } from 'vitest';
import { decidingPaths, recipe } from '../../src/build/recipe.ts';
import type { SourceFiles } from '../../src/build/source-files.ts';
import { type AppConfig, appSchema } from '../../src/config/schema.ts';
import { Failure } from '../../src/errors.ts';

const app = (more: object = {}): AppConfig => appSchema.parse({ source: 'x', hosts: ['web'], ...more });
const files = (texts: Record<string, string>, others: readonly string[] = []): SourceFiles => ({
  existing: new Set([
    ...Object.keys(texts),
    ...Object.keys(texts).flatMap((path) =>
      path
        .split('/')
        .slice(0, -1)
        .map((_, i, parts) => parts.slice(0, i + 1).join('/')),
    ),
    ...others,
  ]),
  text: texts,
});
const LOCK = JSON.stringify({ lockfileVersion: 3 });
const decide = (definition: object, source: SourceFiles) => recipe('app', app(definition), source);
const failure = (definition: object, source: SourceFiles): Failure => {
  try {
    throw new Error(`it worked: ${JSON.stringify(decide(definition, source))}`);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
};

describe('how an application is built', () => {
  it('reads what npm would: lock file, scripts, Node version', () => {
    const manifest = {
      engines: { node: '>=18' },
      scripts: { start: 'node app.js --fast', build: 'tsc' },
      dependencies: { a: '1' },
    };
    expect(
      decide({}, files({ 'package.json': JSON.stringify(manifest), 'package-lock.json': LOCK })),
    ).toEqual({
      runtime: 'node',
      directory: '',
      node: { range: '>=18', preferLts: true, from: 'engines.node of package.json' },
      lockFolder: '',
      lockfileVersion: 3,
      ownInstallScripts: false,
      build: 'npm run build',
      start: 'node app.js --fast',
    });
  });

  it.each([
    [
      'scripts.start with its prestart',
      { scripts: { prestart: 'node a', start: 'node b' } },
      [],
      'node a && node b',
    ],
    ['server.js, as npm start does', { main: 'lib/x.js' }, ['server.js'], 'node server.js'],
    ['main', { main: 'lib/x.js' }, [], 'node lib/x.js'],
    ['main with a space', { main: 'my app.js' }, [], "node 'my app.js'"],
    ['index.js', {}, ['index.js'], 'node index.js'],
    ['app.js', {}, ['app.js'], 'node app.js'],
  ])('starts with %s', (_, manifest, others, start) => {
    expect(decide({}, files({ 'package.json': JSON.stringify(manifest) }, others))).toMatchObject({
      start,
      lockFolder: null,
    });
  });

  it('lets the definition decide', () => {
    const source = files({ 'package.json': '{"scripts":{"start":"x","build":"y"}}', '.nvmrc': '10' });
    expect(decide({ start: 'node z.js', build: 'make', node: '22' }, source)).toMatchObject({
      start: 'node z.js',
      build: 'make',
      node: { range: '22' },
    });
  });

  it('looks upwards for .nvmrc, and for the lock file of a workspace', () => {
    const source = files({
      'package.json': '{"workspaces":["services/*"]}',
      'package-lock.json': LOCK,
      '.nvmrc': '20',
      'services/api/package.json': '{"main":"api.js","dependencies":{"a":"1"}}',
    });
    expect(decide({ directory: './services/api/' }, source)).toMatchObject({
      directory: 'services/api',
      lockFolder: '',
      node: { range: '20', from: '.nvmrc' },
    });
  });

  it('does not take the lock file of another package for its own', () => {
    const source = files({
      'package.json': '{}',
      'package-lock.json': LOCK,
      'api/package.json': '{"main":"a.js","dependencies":{"a":"1"}}',
    });
    expect(failure({ directory: 'api' }, source).message).toBe(
      'app has no lock file of npm, pnpm or yarn at this commit, so its dependencies are not fixed.',
    );
  });

  it.each([
    ['node', files({ 'package.json': '{"main":"a.js"}' })],
    ['tomcat', files({ 'pom.xml': '<project><packaging> war </packaging></project>' })],
    ['static', files({}, ['index.html'])],
  ])('knows a %s application by its files', (runtime, source) => {
    expect(decide({}, source).runtime).toBe(runtime);
  });

  it('builds a static site with Node where there is a build script', () => {
    const source = files({
      'package.json': '{"scripts":{"build":"vite build"},"devDependencies":{"vite":"1"}}',
      'package-lock.json': LOCK,
    });
    expect(decide({ runtime: 'static' }, source)).toMatchObject({
      runtime: 'static',
      build: { build: 'npm run build', lockFolder: '' },
    });
    expect(decide({ runtime: 'static' }, files({}, ['index.html']))).toMatchObject({ build: null });
  });

  it.each([
    [
      'no lock file',
      {},
      files({ 'package.json': '{"main":"a.js","dependencies":{"a":"1"}}' }),
      'app has no lock file of npm',
      'npm install --package-lock-only && git add package-lock.json',
    ],
    [
      'the lock file of another tool',
      { runtime: 'node' },
      files({ 'package.json': '{"main":"a.js","devDependencies":{"a":"1"}}' }, ['bun.lock']),
      '(bun.lock is one of bun)',
      'npm install --package-lock-only',
    ],
    [
      'a lock file that is none',
      {},
      files({ 'package.json': '{"main":"a.js"}', 'package-lock.json': '<<<<<<< HEAD' }),
      'package-lock.json is no lock file',
      'rm package-lock.json',
    ],
    [
      'nothing known',
      {},
      files({ Makefile: '' }),
      'what kind of application this is cannot be told',
      'runtime:',
    ],
    [
      'a folder that is not there',
      { directory: 'server' },
      files({ 'package.json': '{}' }),
      'there is no folder server',
      'directory:',
    ],
    [
      'no package.json',
      { runtime: 'node' },
      files({}, ['index.html']),
      'there is no package.json',
      'directory:',
    ],
    [
      'a broken package.json',
      {},
      files({ 'package.json': '{"main": 1}' }),
      'not a package.json that npm can read at main',
      'Correct it',
    ],
    [
      'no start',
      {},
      files({ 'package.json': '{}' }),
      'how the service is started cannot be told',
      'scripts.start',
    ],
    [
      'a start by bun where Node is asked for (nixpacks#1274)',
      { runtime: 'node' },
      files({ 'package.json': '{"scripts":{"start":"bun run ./src/index.ts"}}' }),
      'app starts with bun ("bun run ./src/index.ts"), and hosts run it with Node.',
      'Start it with Node',
    ],
    [
      'a lock file of bun where Node is asked for (nixpacks#1248)',
      { runtime: 'node' },
      files({ 'package.json': '{"main":"a.js","dependencies":{"a":"1"}}', 'bun.lock': '{}' }),
      'bun.lock is one of bun',
      'runtime: bun of app',
    ],
    [
      'a build on the host of what is built here',
      { build_on: 'host' },
      files({ 'package.json': '{"main":"a.js"}' }),
      'build_on is host, and node applications are built here',
      'Remove build_on',
    ],
  ])('refuses %s, saying what to do', (_, definition, source, message, next) => {
    const found = failure(definition, source);
    expect(found).toMatchObject({ kind: 'usage', exitCode: 2 });
    expect(found.message).toContain(message);
    expect(found.next).toContain(next);
  });

  it('asks git only for what decides', () => {
    const { all, read } = decidingPaths(app({ directory: 'a/b' }));
    expect(read).toContain('a/b/package.json');
    expect(read).toContain('a/.nvmrc');
    expect(read).toContain('package-lock.json');
    expect(all).toContain('a/b');
    expect(read.every((path) => all.includes(path))).toBe(true);
  });
});
