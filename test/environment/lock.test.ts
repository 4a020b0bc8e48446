import { hostname } from 'node:os';
import { beforeEach, expect, test } from 'vitest';
import { type Context, type ProgressEvent, quietContext } from '../../src/context.ts';
import { type LockOptions, withLock } from '../../src/environment/lock.ts';
import type { Connection, RunOptions, RunResult } from '../../src/ssh/connection.ts';

/** The script on the host: what it prints, and how it ends. */
let say: (line: string) => void;
let end: (result: RunResult) => void;
let events: ProgressEvent[];
let context: Context;
beforeEach(() => {
  events = [];
  context = quietContext({ progress: (event) => events.push(event) });
});

const connection = {
  target: { name: 'web', address: 'web', port: 22, user: 'root' },
  script: (_text: string, options: RunOptions) =>
    new Promise<RunResult>((resolve, reject) => {
      say = (line) => options.onStdout?.(line);
      end = resolve;
      options.signal?.addEventListener('abort', () => reject(options.signal?.reason), { once: true });
    }),
} as unknown as Connection;

const HOLDER = { by: 'bob', command: 'up', at: '2026-11-23T10:00:00Z', machine: 'x', pid: 1 };
const held = (more: object = {}) => `held ${JSON.stringify({ ...HOLDER, ...more })}`;
const lock = (
  options: Partial<LockOptions> = {},
  work: (own: Context) => Promise<string> = async () => 'done',
) => withLock(connection, { command: 'pipeline deploy app', ...options }, context, work);

test('work runs once the lock is there, and gives its value', async () => {
  let began = false;
  const running = lock({}, async () => {
    began = true;
    return 'done';
  });
  await Promise.resolve();
  expect(began).toBe(false);
  say('locked');
  expect(await running).toBe('done');
  expect(events).toEqual([]);
});

test('somebody else’s lock is refused at once, with who holds it', async () => {
  const running = lock();
  say(held());
  await expect(running).rejects.toMatchObject({
    kind: 'locked',
    message: 'web: bob holds the lock for "up" since 2026-11-23T10:00:00Z',
    next: expect.stringContaining('pipeline deploy app --wait'),
  });
});

test('with --wait it is waited for, and people see for whom', async () => {
  const running = lock({ wait: true });
  say(held());
  say('locked');
  expect(await running).toBe('done');
  expect(events.map(({ state }) => state)).toEqual(['running', 'done']);
  expect(events[0]?.detail).toContain('bob');
});

test('a holder of this machine that has ended is waited for: its lock goes by itself', async () => {
  const running = lock();
  say(held({ machine: hostname(), pid: 2 ** 22 + 1 }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  say('locked');
  expect(await running).toBe('done');
});

test('where it is lost, the work is stopped with the reason', async () => {
  const running = lock({}, (own) => {
    end({ exitCode: 255, stdout: '', stderr: 'gone' });
    return new Promise((_, reject) => own.signal.addEventListener('abort', () => reject(own.signal.reason)));
  });
  say('locked');
  await expect(running).rejects.toMatchObject({
    kind: 'host',
    message: 'web: the lock was lost (exit 255)',
    output: ['gone'],
  });
});

test('where the host cannot take it, that is said', async () => {
  const running = lock();
  end({ exitCode: 1, stdout: '', stderr: 'Read-only file system' });
  await expect(running).rejects.toMatchObject({ output: ['Read-only file system'] });
});

test('work that fails gives the lock back', async () => {
  const running = lock({}, async () => {
    throw new RangeError('no');
  });
  say('locked');
  await expect(running).rejects.toThrow('no');
});
