/** Dependencies that a later build takes as an earlier one left them. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readlink, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepDependencies, keptDependencies, restoreDependencies } from '../../src/build/dependency-cache.ts';
import { quietContext } from '../../src/context.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-kept-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const context = () => quietContext({ env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') } });

const FILES: Readonly<Record<string, string>> = {
  'package.json': '{"name":"a","version":"1.0.0","dependencies":{"b":"1"},"scripts":{"start":"node ."}}',
  'package-lock.json': '{"lockfileVersion":3,"packages":{"node_modules/b":{"version":"1.0.0"}}}',
};

function tree(name: string, more: Readonly<Record<string, string>> = {}): string {
  for (const [path, text] of Object.entries({ ...FILES, ...more })) {
    mkdirSync(dirname(join(folder, name, path)), { recursive: true });
    writeFileSync(join(folder, name, path), text);
  }
  return join(folder, name);
}

const keyOf = async (more: Readonly<Record<string, string>> = {}, tools = ['22.1.0', '10.9.0']) => {
  const made = tree(`tree-${Math.random()}`, more);
  return (await keptDependencies(made, '', 'npm', tools, context()))?.path;
};

describe('what dependencies are the same', () => {
  it('those of the same lock file and tools, whatever else changes', async () => {
    const before = await keyOf();
    expect(await keyOf({ 'server.js': 'new', 'src/more.js': 'too' })).toBe(before);
    const scripts = FILES['package.json']?.replace('node .', 'node server.js') ?? '';
    expect(await keyOf({ 'package.json': scripts })).toBe(before);
  });

  it.each([
    ['the lock file', { 'package-lock.json': '{"lockfileVersion":3,"packages":{}}' }],
    ['what a package.json asks for', { 'package.json': '{"name":"a","dependencies":{"b":"2"}}' }],
    ['a workspace', { 'packages/c/package.json': '{"name":"c"}' }],
    ['npm settings of the repository', { '.npmrc': 'legacy-peer-deps=true' }],
  ])('not with another: %s', async (_what, more) => {
    expect(await keyOf(more)).not.toBe(await keyOf());
  });

  it('not with another Node, npm or options', async () => {
    expect(await keyOf({}, ['24.0.0', '10.9.0'])).not.toBe(await keyOf());
  });

  it('nobody knows, where own scripts run at installation', async () => {
    const own = { 'packages/c/package.json': '{"scripts":{"postinstall":"patch-package"}}' };
    expect(await keyOf(own)).toBeUndefined();
  });

  it('says whether packages among them run scripts', async () => {
    const lock = '{"packages":{"node_modules/b":{"hasInstallScript":true}}}';
    const scripts = async (more: Readonly<Record<string, string>>) =>
      (await keptDependencies(tree(`tree-${Math.random()}`, more), '', 'npm', [], context()))?.scripts;
    expect(await scripts({})).toBe(false);
    expect(await scripts({ 'package-lock.json': lock })).toBe(true);
    expect(await scripts({ 'package-lock.json': '{"lockfileVersion":1}' })).toBe(true);
  });
});

describe('keeping and restoring', () => {
  async function kept() {
    rmSync(join(folder, 'first'), { recursive: true, force: true });
    const first = tree('first', {
      'node_modules/b/index.js': 'b',
      'node_modules/.bin/.keep': '',
      'packages/c/package.json': '{"name":"c"}',
      'packages/c/node_modules/d/index.js': 'd',
    });
    symlinkSync('../b/index.js', join(first, 'node_modules/.bin/b'));
    const found = await keptDependencies(first, '', 'npm', [], context());
    if (found === undefined) throw new Error('it is kept');
    await keepDependencies(found, first, true, context());
    return found;
  }

  it('gives folders of root and workspaces back, links as links, and nobody else changes them', async () => {
    const found = await kept();
    const second = tree('second', { 'packages/c/package.json': '{"name":"c"}' });
    expect(await restoreDependencies(found, second, context())).toBe(false);
    expect(readFileSync(join(second, 'node_modules/b/index.js'), 'utf8')).toBe('b');
    expect(readFileSync(join(second, 'packages/c/node_modules/d/index.js'), 'utf8')).toBe('d');
    expect(await readlink(join(second, 'node_modules/.bin/b'))).toBe('../b/index.js');
    writeFileSync(join(second, 'node_modules/b/index.js'), 'changed by a build');
    const third = tree('third', { 'packages/c/package.json': '{"name":"c"}' });
    await restoreDependencies(found, third, context());
    expect(readFileSync(join(third, 'node_modules/b/index.js'), 'utf8')).toBe('b');
  });

  it('has nothing for what was never kept, and takes no half copy', async () => {
    const found = await kept();
    expect(
      await restoreDependencies({ ...found, path: `${found.path}x` }, folder, context()),
    ).toBeUndefined();
    rmSync(join(found.path, '1'), { recursive: true });
    const second = tree('second');
    expect(await restoreDependencies(found, second, context())).toBeUndefined();
    expect(readdirSync(second)).not.toContain('node_modules');
  });

  it('of pnpm and yarn, looks for scripts of packages; without a way to run them again keeps none', async () => {
    const found = {
      ...(await kept()),
      path: join(folder, 'cache/pipeline/dependencies/other'),
      scripts: null,
    };
    const gyp = tree('gyp', { 'node_modules/b/binding.gyp': '{}', '.yarn/install-state.gz': 'state' });
    await keepDependencies(found, gyp, false, context());
    expect(await restoreDependencies(found, tree('none'), context())).toBeUndefined();
    await keepDependencies(found, gyp, true, context());
    const second = tree('second');
    expect(await restoreDependencies(found, second, context())).toBe(true);
    expect(readFileSync(join(second, '.yarn/install-state.gz'), 'utf8')).toBe('state');
  });

  it('throws away what nobody used for a month', async () => {
    const found = await kept();
    const old = join(dirname(found.path), 'old');
    mkdirSync(old);
    const then = new Date(Date.now() - 31 * 24 * 3600 * 1000);
    await utimes(old, then, then);
    await kept();
    expect(readdirSync(dirname(found.path))).toEqual([found.path.split('/').at(-1)]);
  });
});
