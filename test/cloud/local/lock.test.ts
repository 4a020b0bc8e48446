import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { tryLock, waitForLock } from '../../../src/cloud/local/lock.ts';
import { quietContext } from '../../../src/context.ts';

const context = quietContext();

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'pipeline-lock-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe.skipIf(process.platform !== 'linux')('a lock', () => {
  test('is held once, by file or by folder', async () => {
    const directory = folder();
    for (const path of [join(directory, 'file'), directory]) {
      const first = await tryLock(context, path);
      expect(first).toBeDefined();
      expect(await tryLock(context, path)).toBeUndefined();
      await first?.release();
      await first?.release();
      const second = await tryLock(context, path);
      expect(second).toBeDefined();
      await second?.release();
    }
  });

  test('lasts until programs that it was handed to have ended', async () => {
    const path = join(folder(), 'lock');
    const lock = await tryLock(context, path);
    const child = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', lock?.descriptor] });
    await lock?.release();
    expect(await tryLock(context, path)).toBeUndefined();
    child.kill('SIGKILL');
    const free = await waitForLock(context, path, { forMs: 5000 });
    expect(free).toBeDefined();
    await free?.release();
  });

  test('says once that it waits, and gives up in time', async () => {
    const path = join(folder(), 'lock');
    const lock = await tryLock(context, path);
    let waits = 0;
    const onWait = () => {
      waits++;
    };
    expect(await waitForLock(context, path, { forMs: 250, onWait })).toBeUndefined();
    expect(waits).toBe(1);
    await lock?.release();
  });

  test('whose file the last holder removed is taken anew, not in the removed file', async () => {
    const path = join(folder(), 'lock');
    const first = await tryLock(context, path);
    const waiter = waitForLock(context, path);
    await rm(path);
    await first?.release();
    const second = await waiter;
    expect(await tryLock(context, path)).toBeUndefined();
    await second?.release();
  });

  test('stops waiting at Ctrl-C', async () => {
    const path = join(folder(), 'lock');
    const lock = await tryLock(context, path);
    const abort = new AbortController();
    const waiting = waitForLock(quietContext({ signal: abort.signal }), path);
    setTimeout(() => abort.abort(), 150);
    await expect(waiting).rejects.toThrow(/aborted/);
    await lock?.release();
  });
});
