/**
 * No secret of an address, an environment or another program's output leaves a build: canaries in every
 * place.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSource, resolveRef } from '../../src/build/source.ts';
import { type Context, quietContext } from '../../src/context.ts';
import { Failure } from '../../src/errors.ts';
import { runTool } from '../../src/process/tool.ts';

const CANARY = 'canary-s3cret-7731';

let folder: string;
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-secrets-'));
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

function watched(env: Record<string, string> = {}): Context {
  return quietContext({
    cwd: folder,
    env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache'), ...env },
    trace: (line) => said.push(line),
    progress: (event) => said.push(JSON.stringify(event)),
  });
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  const failure = await work.catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Failure);
  const { message, next, output } = failure as Failure;
  return [message, next, ...output].join('\n');
}

describe("the address of a repository with its reader's password", () => {
  it('is hidden where the repository cannot be reached', async () => {
    const source = openSource(`http://ann:${CANARY}@127.0.0.1:1/shop.git`, folder, watched());
    const text = await failureOf(resolveRef('shop', source, 'main', watched()));
    expect(text).toContain('http://***@127.0.0.1:1/shop.git');
    expect(text + said.join('\n')).not.toContain(CANARY);
  });

  it.each([
    ['has no such ref', 'nothing', true],
    ['has no branch', undefined, false],
  ])('is hidden where it %s', async (_what, ref, withCommit) => {
    const origin = join(folder, 'shop.git');
    const git = (...args: string[]) => execFileSync('git', ['-C', origin, ...args], { stdio: 'ignore' });
    execFileSync('git', ['init', '--quiet', '--initial-branch=main', origin]);
    const who = ['-c', 'user.name=T', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false'];
    if (withCommit) git(...who, 'commit', '--quiet', '--allow-empty', '--message', 'first');
    const address = `https://ann:${CANARY}@git.example/`;
    const context = watched({
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: `url.${folder}/.insteadOf`,
      GIT_CONFIG_VALUE_0: address,
    });
    const source = openSource(`${address}shop.git`, folder, context);
    const text = await failureOf(resolveRef('shop', source, ref, context));
    expect(text).toContain('https://***@git.example/shop.git');
    expect(text + said.join('\n')).not.toContain(CANARY);
  });
});

it('what a program prints of its environment and of addresses is hidden, line by line', async () => {
  writeFileSync(
    join(folder, 'build.sh'),
    'echo "with $NPM_TOKEN"\necho "from https://ann:$NPM_TOKEN@registry.example" >&2\nenv; exit 3\n',
  );
  const lines: string[] = [];
  const context = watched({ NPM_TOKEN: CANARY });
  const { exitCode, lastLines } = await runTool('sh', ['build.sh'], context, {
    onLine: (line) => lines.push(line),
  });
  expect(exitCode).toBe(3);
  expect(lines).toContain('with ***');
  expect([...lines, ...lastLines, ...said].join('\n')).not.toContain(CANARY);
});
