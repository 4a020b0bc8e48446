/** The base image when things go wrong while it is made. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { tryLock, waitForLock } from '../../../src/cloud/local/lock.ts';
import { createLocalProvider } from '../../../src/cloud/local/provider.ts';
import type { EnvironmentSpec } from '../../../src/cloud/provider.ts';
import { quietContext } from '../../../src/context.ts';
import { hostsUnavailable, testEnvironment } from '../../support/hosts.ts';
import { bundleProgram, type Program } from './program.ts';

const unavailable = hostsUnavailable();
if (unavailable !== undefined) process.stderr.write(`SKIPPED local hosts: ${unavailable}\n`);

describe.skipIf(unavailable !== undefined)('the base image', () => {
  const context = quietContext();
  let program: Program;
  let cache: string;
  let spec: EnvironmentSpec;
  const env = () => ({ PIPELINE_LOCAL_CACHE: cache });
  /** What is in the cache besides locks. */
  const images = () => readdirSync(join(cache, 'base')).filter((name) => !name.endsWith('.lock'));
  const lockFile = () => {
    const name = readdirSync(join(cache, 'base')).find((file) => file.endsWith('.lock'));
    return join(cache, 'base', name ?? 'none.lock');
  };
  const up = (progress: (detail: string) => void = () => {}) => {
    const inCache = quietContext({
      env: { ...process.env, ...env() },
      progress: ({ stage, detail }) => {
        if (stage === 'base image') progress(detail ?? '');
      },
    });
    const provider = createLocalProvider(inCache, spec);
    return provider.plan().then((plan) => provider.apply(plan));
  };

  beforeAll(async () => {
    program = await bundleProgram();
  });
  afterAll(() => program?.remove());
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'pipeline-cache-'));
    spec = testEnvironment({ names: ['web'] });
  });
  afterEach(async () => {
    await createLocalProvider(context, spec).destroy();
    execFileSync('sh', ['-c', 'umount "$1" 2> /dev/null; rm -rf "$1"', 'sh', cache]);
    rmSync(spec.directory, { recursive: true, force: true });
  });
  const disk = (megabytes: number) => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', cache]);
  };
  const full = {
    kind: 'usage',
    step: 'base image',
    message: expect.stringMatching(
      /^The disk of \/.* is full: the base image needs 800 MB, \d+ MB are free\.$/,
    ),
    next: expect.stringContaining('PIPELINE_LOCAL_CACHE'),
  };

  test('is not begun on a disk without room', async () => {
    disk(100);
    await expect(up()).rejects.toMatchObject(full);
    expect(images()).toEqual([]);
  });

  test('of another distribution whose archive is out of reach says so, and what to do', async () => {
    const ubuntu = testEnvironment({ names: ['web'], image: 'ubuntu-24-04-x64' });
    const nowhere = { http_proxy: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9' };
    const context = quietContext({ env: { ...process.env, ...env(), ...nowhere } });
    const provider = createLocalProvider(context, ubuntu);
    try {
      const plan = await provider.plan();
      expect(plan.changes).toContainEqual(expect.objectContaining({ step: 'base image ubuntu-24-04' }));
      await expect(provider.apply(plan)).rejects.toMatchObject({
        kind: 'host',
        message: expect.stringMatching(/^The base image ubuntu-24-04 \(noble\) cannot be made from /),
        next: expect.stringMatching(/within reach .* leave `image:` out/),
      });
      expect(images()).toEqual([]);
    } finally {
      await provider.destroy();
      rmSync(ubuntu.directory, { recursive: true, force: true });
    }
  });

  test('whose disk fills up meanwhile is given up, and leaves nothing', async () => {
    disk(900);
    const fill = (detail: string) => {
      if (detail.startsWith('extracting'))
        spawnSync('sh', ['-c', 'cat /dev/zero > "$1"', 'sh', join(cache, 'other')]);
    };
    await expect(up(fill)).rejects.toMatchObject(full);
    expect(images()).toEqual([]);
  });

  test('interrupted with Ctrl-C, it leaves nothing', async () => {
    let told = false;
    const ended = await program.run('up', spec, {
      env: env(),
      onLine: (line, child) => {
        // A second one would not be waited for.
        if (!told && line.includes('downloading')) told = child.kill('SIGINT');
      },
    });
    expect(ended).toMatchObject({ code: 1, errors: expect.stringContaining('interrupted') });
    expect(images()).toEqual([]);
    await using free = await tryLock(context, lockFile());
    expect(free).toBeDefined();
  });

  test('goes on where the program is killed, and the next one waits for it', async () => {
    const ended = await program.run('up', spec, {
      env: env(),
      onLine: (line, child) => {
        if (line.includes('downloading')) child.kill('SIGKILL');
      },
    });
    expect(ended.signal).toBe('SIGKILL');
    const [workshop] = images();
    expect(workshop).toMatch(/\.building$/);
    expect(await tryLock(context, lockFile())).toBeUndefined();
    // it would take its half minute: ended as a shutdown of the machine does, it cleans up
    const pids = execFileSync('pgrep', ['-f', `^sh -c .*${workshop}`], { encoding: 'utf8' })
      .trim()
      .split('\n');
    for (const pid of pids) process.kill(-Number(pid), 'SIGTERM');
    await using free = await waitForLock(context, lockFile(), { forMs: 20_000 });
    expect(free).toBeDefined();
    expect(images()).toEqual([]);
  });
});
