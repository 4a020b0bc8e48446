import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { type ProcessOptions, runProcess } from '../../src/ssh/process.ts';

const run = (script: string, options: Partial<ProcessOptions> = {}) =>
  runProcess('bash', ['-c', script], { env: process.env, signal: new AbortController().signal, ...options });

describe('a process', () => {
  test('gives its output whole, and in lines as they come, however they are cut', async () => {
    const lines: string[] = [];
    const result = await run(
      "printf 'a\\nb'; sleep 0.1; printf 'c\\n\\n\\xc3'; sleep 0.1; printf '\\xbc\\nend'; exit 3",
      {
        onStdout: (line) => lines.push(line),
      },
    );
    expect(result).toEqual({ exitCode: 3, stdout: 'a\nbc\n\nü\nend', stderr: '' });
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
    expect(result).toEqual({ exitCode: null, stdout: 'ready\n', stderr: '' });
    expect(performance.now() - started).toBeLessThan(7_000);
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
