import { readFileSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { type ProcessOptions, runProcess } from '../../src/process/run.ts';

const run = (script: string, options: Partial<ProcessOptions> = {}) =>
  runProcess('bash', ['-c', script], { env: process.env, signal: new AbortController().signal, ...options });

/** Whether a process runs; one that is only not yet waited for does not. */
function isThere(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a process', () => {
  test('gives its output whole, and in lines as they come, however they are cut', async () => {
    const lines: string[] = [];
    const result = await run(
      "printf 'a\\nb'; sleep 0.1; printf 'c\\n\\n\\xc3'; sleep 0.1; printf '\\xbc\\nend'; exit 3",
      {
        onStdout: (line) => lines.push(line),
      },
    );
    expect(result).toMatchObject({ exitCode: 3, stdout: 'a\nbc\n\nü\nend', stderr: '', wasCut: false });
    expect(lines).toEqual(['a', 'bc', '', 'ü', 'end']);
  });

  test('takes its input, and may end before it has read it', async () => {
    const input = (stdin: NodeJS.WritableStream) =>
      pipeline(Readable.from([Buffer.alloc(5_000_000, 'x')]), stdin);
    expect(await run('wc -c', { input })).toMatchObject({ stdout: '5000000\n' });
    expect(await run('exit 4', { input })).toMatchObject({ exitCode: 4 });
  });

  test.each([
    ['an input', { input: () => Promise.reject(new RangeError('no input')) }, 'no input'],
    [
      'a receiver of lines',
      {
        onStdout: () => {
          throw new RangeError('no line');
        },
      },
      'no line',
    ],
  ])('is ended by %s that fails, and that is thrown', async (_what, options, message) => {
    const started = performance.now();
    await expect(run('echo; exec sleep 20', options)).rejects.toThrow(message);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test('is ended by its signal, by force if it must, and not waited for by who holds its pipes', async () => {
    const stop = new AbortController();
    const started = performance.now();
    const result = await run("trap '' TERM; setsid sleep 8 & echo ready; while :; do sleep 0.1; done", {
      signal: stop.signal,
      onStdout: () => stop.abort(),
    });
    expect(result).toMatchObject({ exitCode: null, endedBy: 'SIGKILL', stdout: 'ready\n', timedOut: false });
    expect(performance.now() - started).toBeLessThan(7_000);
  });

  test('is ended with its children before the result comes, also those that do not listen', async () => {
    const stop = new AbortController();
    let child = 0;
    const stubborn = `bash -c 'trap "" TERM; echo $$; while :; do sleep 0.1; done' & wait`;
    await run(stubborn, {
      signal: stop.signal,
      graceMs: 300,
      onStdout: (line) => {
        child = Number(line);
        stop.abort();
      },
    });
    await expect.poll(() => isThere(child)).toBe(false);
  });

  test('is ended when its time is over, and says so', async () => {
    const result = await run('echo begun; exec sleep 20', { timeoutMs: 300 });
    expect(result).toMatchObject({ exitCode: null, endedBy: 'SIGTERM', stdout: 'begun\n', timedOut: true });
    expect(await run('exit 1', { timeoutMs: 5_000 })).toMatchObject({ exitCode: 1, timedOut: false });
  });

  test('that has ended is not waited for by who holds its pipes once it is stopped', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 500);
    const started = performance.now();
    expect(await run('setsid sleep 8 & echo ready', { signal: stop.signal })).toMatchObject({
      exitCode: 0,
      stdout: 'ready\n',
    });
    expect(performance.now() - started).toBeLessThan(4_000);
  });

  test('that prints without end is kept from the end on, and its lines all come', async () => {
    let lines = 0;
    const result = await run('seq 100000', { keep: 12, onStdout: () => lines++ });
    expect(result).toMatchObject({ exitCode: 0, stdout: '99999\n100000\n'.slice(-12), wasCut: true });
    expect(lines).toBe(100_000);
  });

  test('shares an open file as descriptor 3', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pipeline-process-'));
    const file = await open(join(folder, 'f'), 'w+');
    try {
      await run('echo through >&3', { descriptor: file.fd });
      expect(await readFile(join(folder, 'f'), 'utf8')).toBe('through\n');
    } finally {
      await file.close();
      await rm(folder, { recursive: true });
    }
  });

  test('that cannot be started says so', async () => {
    const missing = runProcess('no-such-program', [], {
      env: process.env,
      signal: new AbortController().signal,
    });
    await expect(missing).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('has a process group of its own: Ctrl-C in the terminal reaches its program only', async () => {
    const { stdout } = await run(`ps -o pgid= -p $$,${process.pid}`);
    const groups = stdout.trim().split(/\s+/);
    expect(new Set(groups).size).toBe(2);
  });
});
