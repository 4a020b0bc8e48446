import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkOut,
  closestRefs,
  existingAt,
  lfsPointers,
  openSource,
  readAt,
  resolveRef,
  sourceAddress,
} from '../../src/build/source.ts';
import { type Context, quietContext } from '../../src/context.ts';
import { Failure } from '../../src/errors.ts';

describe('repositories', () => {
  let folder: string;
  let origin: string;
  let context: Context;
  const commits: Record<string, string> = {};

  function git(...args: string[]): string {
    return execFileSync(
      'git',
      [
        '-c',
        'user.name=T',
        '-c',
        'user.email=t@example.org',
        '-c',
        'commit.gpgsign=false',
        '-c',
        'tag.gpgsign=false',
        ...args,
      ],
      {
        cwd: origin,
        encoding: 'utf8',
      },
    ).trim();
  }
  function commit(name: string, text = name): string {
    writeFileSync(join(origin, 'file.txt'), text);
    git('add', '--all');
    git('commit', '--quiet', '--message', `Say ${name}`);
    commits[name] = git('rev-parse', 'HEAD');
    return commits[name];
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pipeline-source-'));
    origin = join(folder, 'origin');
    mkdirSync(join(origin, 'sub'), { recursive: true });
    writeFileSync(join(origin, 'sub', 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    git('init', '--quiet', '--template=', '--initial-branch=trunk');
    commit('first');
    git('tag', 'v1.0');
    git('tag', 'both');
    commit('second');
    git('checkout', '--quiet', '-b', 'feature/login');
    commit('third');
    git('branch', 'both');
    git('checkout', '--quiet', 'trunk');
    const env = {
      ...process.env,
      XDG_CACHE_HOME: join(folder, 'cache'),
      GIT_CONFIG_GLOBAL: join(folder, 'gitconfig'),
    };
    writeFileSync(
      join(folder, 'gitconfig'),
      `[url "${origin}"]\n\tinsteadOf = https://git.example.org/service.git\n`,
    );
    context = quietContext({ env, cwd: folder });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const source = () => openSource('https://git.example.org/service.git', folder, context);
  const local = () => openSource(origin, folder, context);
  const resolve = (ref: string | undefined) => resolveRef('app', source(), ref, context);
  const failure = async (promise: Promise<unknown>): Promise<Failure> => {
    const error = await promise.then(
      (result) => new Error(`it worked: ${JSON.stringify(result)}`),
      (thrown) => thrown,
    );
    if (error instanceof Failure) return error;
    throw error;
  };

  it.each([
    ['a branch', 'feature/login', 'third'],
    ['a tag', 'v1.0', 'first'],
    ['a full name', 'refs/tags/both', 'first'],
    ['a branch before a tag of the same name', 'both', 'third'],
    ['the default branch, where nothing is said', undefined, 'second'],
  ])('finds %s, through insteadOf', async (_, ref, name) => {
    expect(await resolve(ref)).toMatchObject({
      ref: ref ?? 'trunk',
      commit: commits[name],
      subject: `Say ${name}`,
    });
  });

  it('finds a commit by its first digits, and a whole one without asking anybody', async () => {
    const first = commits.first ?? '';
    expect(await resolve(first.slice(0, 7))).toMatchObject({ commit: first });
    const offline = { ...context, env: { ...context.env, GIT_CONFIG_GLOBAL: '/dev/null' } };
    expect(await resolveRef('app', source(), first, offline)).toMatchObject({ commit: first });
  });

  it('sees what was pushed, and a history that was rewritten', async () => {
    const fourth = commit('fourth');
    expect(await resolve('trunk')).toMatchObject({ commit: fourth });
    git('reset', '--quiet', '--hard', commits.first ?? '');
    expect(await resolve('trunk')).toMatchObject({ commit: commits.first });
    git('branch', '--quiet', 'gone');
    await resolve('gone');
    git('branch', '--quiet', '-D', 'gone');
    expect((await failure(resolve('gone'))).message).toContain('has no ref "gone"');
  });

  it('names the refs that may have been meant', async () => {
    const found = await failure(resolve('v9'));
    expect(found).toMatchObject({
      kind: 'usage',
      message: 'app has no ref "v9" at https://git.example.org/service.git.',
    });
    expect(found.next).toMatch(/^Closest: .*trunk/);
    expect(closestRefs('v9', ['master', 'v0.9', 'feature/x'])).toEqual(['v0.9', 'master', 'feature/x']);
    expect(closestRefs('login', ['trunk', 'feature/login'])[0]).toBe('feature/login');
  });

  it.each(['-o', '--upload-pack=touch /tmp/x', 'a..b', 'HEAD~1', '', '@{u}'])(
    'takes %j for no ref',
    async (ref) => {
      expect((await failure(resolve(ref))).kind).toBe('usage');
    },
  );

  it('tells a repository that is not there from a network that is not', async () => {
    const none = await failure(resolveRef('app', openSource('nowhere', folder, context), 'main', context));
    expect(none).toMatchObject({ kind: 'usage', step: 'source' });
    expect(none.output.join()).toMatch(/does not (appear to be a git repository|exist)/);
    const secret = openSource('https://me:hunter2@127.0.0.1:1/x.git', folder, context);
    const refused = await failure(resolveRef('app', secret, 'main', context));
    expect(JSON.stringify([refused.message, refused.output, refused.next])).not.toContain('hunter2');
  });

  it('reads and checks out a commit, with its history and without touching the copy', async () => {
    const first = commits.first ?? '';
    expect(await readAt(source(), first, 'file.txt', context)).toBe('first');
    expect(await readAt(source(), first, 'nothing', context)).toBeUndefined();
    expect(
      [...(await existingAt(source(), first, ['sub', 'sub/run.sh', 'nothing'], context))].sort(),
    ).toEqual(['sub', 'sub/run.sh']);
    const tree = join(folder, 'tree');
    await checkOut(source(), first, tree, context);
    expect(readFileSync(join(tree, 'file.txt'), 'utf8')).toBe('first');
    expect(execFileSync('git', ['-C', tree, 'describe', '--tags'], { encoding: 'utf8' }).trim()).toMatch(
      /v1\.0|both/,
    );
    expect(existsSync(join(tree, 'sub', 'run.sh'))).toBe(true);
  });

  it('checks out submodules of a repository on this disk, with relative addresses', async () => {
    const library = join(folder, 'library');
    execFileSync('git', ['clone', '--quiet', origin, library]);
    git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', '../library', 'vendored');
    const withLibrary = commit('with a submodule');
    await resolveRef('app', local(), 'trunk', context);
    const tree = join(folder, 'tree-with-library');
    await checkOut(local(), withLibrary, tree, context);
    expect(existsSync(join(tree, 'vendored', 'file.txt'))).toBe(true);
    expect(await lfsPointers(tree, context)).toEqual([]);
  });

  it('finds what Git LFS keeps, and no file that only speaks of it', async () => {
    const line = 'version https://git-lfs.github.com/spec/v1';
    writeFileSync(join(origin, 'logo.png'), `${line}\noid sha256:${'0'.repeat(64)}\nsize 12345\n`);
    writeFileSync(join(origin, 'README.md'), `A pointer begins like this:\n\n${line}\n`);
    const pointing = commit('with a pointer');
    await resolveRef('app', local(), 'trunk', context);
    const tree = join(folder, 'tree-with-pointer');
    await checkOut(local(), pointing, tree, context);
    expect(await lfsPointers(tree, context)).toEqual(['logo.png']);
  });

  it('serves several at once', async () => {
    const fresh = { ...context, env: { ...context.env, XDG_CACHE_HOME: join(folder, 'other-cache') } };
    const at = openSource(origin, folder, fresh);
    const all = await Promise.all(
      Array.from({ length: 6 }, () => resolveRef('app', at, 'feature/login', fresh)),
    );
    expect(new Set(all.map(({ commit: one }) => one))).toEqual(new Set([commits.third]));
  });

  it.each([
    ['https://github.com/a/b.git', 'https://github.com/a/b.git'],
    ['ssh://git@host:22/a', 'ssh://git@host:22/a'],
    ['git@github.com:a/b.git', 'git@github.com:a/b.git'],
    ['host:a/b', 'host:a/b'],
    ['../b', '/x/b'],
    ['./a:b', '/x/y/a:b'],
    ['/abs', '/abs'],
  ])('%s is %s', (text, address) => {
    expect(sourceAddress(text, '/x/y')).toBe(address);
  });
});
