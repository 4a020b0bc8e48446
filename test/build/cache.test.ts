import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exclusively } from '../../src/build/cache.ts';
import { quietContext } from '../../src/context.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-cache-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('one build works in the cache at a time, also after one that failed', async () => {
  let working = 0;
  let most = 0;
  const work = (fails: boolean) => async () => {
    most = Math.max(most, ++working);
    await sleep(50);
    working--;
    if (fails) throw new RangeError('no build');
  };
  const path = join(folder, 'deep', 'lock');
  const all = [false, true, false].map((fails) => exclusively(path, quietContext(), work(fails)));
  const ends = await Promise.allSettled(all);
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(most).toBe(1);
});

test('whoever waits for another build can be stopped', async () => {
  const path = join(folder, 'lock');
  const stop = new AbortController();
  await exclusively(path, quietContext(), async () => {
    setTimeout(() => stop.abort(new Error('stopped')), 100);
    const waiting = exclusively(path, quietContext({ signal: stop.signal }), () => Promise.resolve());
    await expect(waiting).rejects.toThrow('stopped');
  });
});
