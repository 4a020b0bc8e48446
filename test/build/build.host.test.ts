import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildArtifact } from '../../src/build/build.ts';
import { resolveNode } from '../../src/build/node-runtime.ts';
import { sha256 } from '../../src/build/pack.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { type Context, quietContext } from '../../src/context.ts';
import { CACHE, failureOf } from '../support/releases.ts';

/** Needs no hosts, but npm's registry. */
describe('builds of real repositories', () => {
  let folder: string;
  let origin: string;
  let context: Context;
  const git = (...args: string[]) =>
    execFileSync(
      'git',
      ['-c', 'user.name=T', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false', ...args],
      { cwd: origin, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' },
    );

  function branch(name: string, files: Record<string, string>): void {
    git('checkout', '--quiet', '--orphan', name);
    git('rm', '-rq', '--cached', '--ignore-unmatch', '.');
    for (const entry of readdirSync(origin))
      if (entry !== '.git') rmSync(join(origin, entry), { recursive: true });
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(origin, path, '..'), { recursive: true });
      writeFileSync(join(origin, path), text);
    }
    git('add', '--all', '--force');
    git('commit', '--quiet', '--message', name);
  }
  /** With its lock file, made by npm itself. */
  function withLock(name: string, manifest: object, files: Record<string, string> = {}): void {
    branch(name, { 'package.json': JSON.stringify(manifest), ...files });
    execFileSync('npm', ['install', '--package-lock-only', '--silent', '--ignore-scripts'], { cwd: origin });
    git('add', '--all');
    git('commit', '--quiet', '--message', `${name} with its lock file`);
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pipeline-build-'));
    origin = join(folder, 'origin');
    mkdirSync(origin);
    git('init', '--quiet', '--template=');
    context = quietContext({ cwd: folder, env: { ...process.env, XDG_CACHE_HOME: CACHE } });
    withLock(
      'good',
      {
        name: 'good',
        version: '1.0.0',
        scripts: {
          start: 'node server.js',
          build:
            "node -e \"require('fs').writeFileSync('built.txt', process.version + ' ' + " +
            "require('semver').SEMVER_SPEC_VERSION)\"",
        },
        dependencies: { ms: '2.1.3' },
        devDependencies: { semver: '7.6.3' },
      },
      { 'server.js': '', '.nvmrc': `v${process.versions.node}` },
    );
    withLock('failing', {
      name: 'f',
      version: '1.0.0',
      main: 'a.js',
      scripts: { build: 'echo compiling; echo "a.ts(3,1): error TS1005" >&2; exit 4' },
      dependencies: { ms: '2.1.3' },
    });
    git('checkout', '--quiet', '--orphan', 'out-of-step');
    writeFileSync(
      join(origin, 'package.json'),
      JSON.stringify({
        name: 'f',
        version: '1.0.0',
        main: 'a.js',
        dependencies: { ms: '2.1.3', semver: '7.6.3' },
      }),
    );
    git('commit', '--quiet', '--all', '--message', 'package.json alone');
    branch('no-lock', {
      'package.json': JSON.stringify({ name: 'x', main: 'a.js', dependencies: { ms: '2.1.3' } }),
    });
    branch('old-node', { 'package.json': JSON.stringify({ name: 'x', main: 'a.js' }), '.nvmrc': '99.99' });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    rmSync(join(CACHE, 'pipeline', 'artifacts', app), { recursive: true, force: true });
  });

  const app = `test-build-${process.pid}`;
  const config = (more: object = {}): Config => ({
    ...configSchema.parse({
      project: 'test',
      hosts: { web: {} },
      apps: { [app]: { source: origin, hosts: ['web'], node: process.versions.node, ...more } },
    }),
    path: join(folder, 'pipeline.yml'),
    directory: folder,
  });
  const build = (ref: string, more: object = {}, options = {}) =>
    buildArtifact(config(more), app, ref, context, options);
  const list = (path: string) => execFileSync('tar', ['-tzf', path], { encoding: 'utf8' }).trim().split('\n');

  test('the build runs with the chosen Node and its tools; production dependencies ship', async () => {
    const first = await build('good');
    expect(first).toMatchObject({
      cached: false,
      runtime: 'node',
      node: process.versions.node,
      start: 'node server.js',
      architecture: null,
      ref: 'good',
    });
    expect(first.sha256).toBe(await sha256(first.path));
    expect(first.bytes).toBe(statSync(first.path).size);
    const files = list(first.path);
    expect(files).toContain('./node_modules/ms/index.js');
    expect(files.some((path) => path.includes('semver'))).toBe(false);
    expect(files.some((path) => path.includes('.git/'))).toBe(false);
    const built = execFileSync('tar', ['-xzOf', first.path, './built.txt'], { encoding: 'utf8' });
    expect(built).toBe(`v${process.versions.node} 2.0.0`);
  });

  test('the same again comes from the cache; anew, as after damage, it is the same to the byte', async () => {
    const first = await build('good');
    const again = await build('good');
    expect(again).toEqual({ ...first, cached: true, seconds: 0 });
    const fresh = await build('good', {}, { fresh: true });
    expect(fresh).toMatchObject({ cached: false, sha256: first.sha256 });
    writeFileSync(fresh.path, 'damaged');
    expect(await build('good')).toMatchObject({ cached: false, sha256: first.sha256 });
  });

  test('another definition is another artifact, and two builds at once are one', async () => {
    const both = await Promise.all([build('good', { build: 'true' }), build('good', { build: 'true' })]);
    expect(both.map(({ cached }) => cached).sort()).toEqual([false, true]);
    expect(both[0].sha256).toBe(both[1].sha256);
    expect(both[0].path).not.toBe((await build('good')).path);
  });

  test.each([
    ['failing', 'host', /npm run build failed \(exit 4, Node /, /error TS1005/, 'Correct it'],
    ['out-of-step', 'host', /npm ci failed/, /in sync/, 'run npm install, commit package-lock.json'],
    ['no-lock', 'usage', /no lock file of npm/, /^$/, 'npm install --package-lock-only'],
  ])('%s: refused', async (ref, kind, message, output, next) => {
    const failure = await failureOf(build(ref));
    expect(failure.kind).toBe(kind);
    expect(failure.message).toMatch(message);
    expect(failure.output.join('\n')).toMatch(output);
    expect(failure.next).toContain(next);
  });

  test('a Node that does not exist is named with its place', async () => {
    const failure = await failureOf(build('old-node', { node: undefined }));
    expect(failure).toMatchObject({ kind: 'usage' });
    expect(failure.message).toContain('asks for Node "99.99" (.nvmrc)');
  });

  test('ranges mean what npm says', async () => {
    expect(await resolveNode(app, { range: '10', preferLts: true, from: 'x' }, context)).toBe('10.24.1');
    expect(await resolveNode(app, { range: '>=10 <11', preferLts: true, from: 'x' }, context)).toBe(
      '10.24.1',
    );
    expect(await resolveNode(app, { range: '~20.11.0', preferLts: true, from: 'x' }, context)).toBe(
      '20.11.1',
    );
  });
});
