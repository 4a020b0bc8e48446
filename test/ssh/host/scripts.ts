/** Scripts that run on a host. */
import { describe, expect, test } from 'vitest';
import { quietContext } from '../../../src/context.ts';
import { Failure } from '../../../src/errors.ts';
import { connect } from '../../../src/ssh/openssh.ts';
import { label, type ShellHost } from './shell-host.ts';

export function scripts(at: ShellHost): void {
  describe('a script', () => {
    test('gives its output and its exit code', async () => {
      const result = await at.host.script('echo out; echo err >&2; exit 3', { label });
      expect(result).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
    });

    test('is told from what a chatty shell prints before it, as is a file', async () => {
      await at.host.check("printf 'echo Welcome back\\nprintf %s no-line-end\\n' >/root/.bashrc", { label });
      try {
        const lines: string[] = [];
        const result = await at.host.script('echo out; echo more', {
          label,
          onStdout: (line) => lines.push(line),
        });
        expect(result.stdout).toBe('out\nmore\n');
        expect(lines).toEqual(['out', 'more']);
        await at.host.upload({ data: Buffer.from('text') }, '/root/chatty', { mode: '0600' });
        expect(await at.host.check('cat /root/chatty; bash -ic true 2>/dev/null', { label })).toMatch(
          /^text/,
        );
      } finally {
        await at.host.check('rm -f /root/.bashrc /root/chatty', { label });
      }
    });

    test('may end with 255, which is not a lost connection', async () => {
      expect(await at.host.script('printf "no line end" >&2; exit 255', { label })).toEqual({
        exitCode: 255,
        stdout: '',
        stderr: 'no line end',
      });
    });

    test('may be large, hold any character, and read an empty standard input', async () => {
      const comment = `# ${'x'.repeat(100)} 'quoted' "twice" $(never) é\n`.repeat(10_000);
      expect(await at.host.check(`${comment}cat; echo 'ü $HOME \\n "'`, { label })).toBe('ü $HOME \\n "\n');
    });

    test('hands its lines over while it runs', async () => {
      const lines: string[] = [];
      const seen = new Promise<void>((resolve) => {
        const running = at.host.script('echo one; echo two >&2; sleep 1; echo three; printf four >&2', {
          label,
          onStdout: (line) => {
            lines.push(`out ${line}`);
            if (line === 'one') resolve();
          },
          onStderr: (line) => lines.push(`err ${line}`),
        });
        void running.then(() => lines.push('end'));
      });
      await seen;
      expect(lines).not.toContain('out three');
      await expect.poll(() => lines.at(-1), { timeout: 5_000 }).toBe('end');
      expect([...lines].sort()).toEqual(['end', 'err four', 'err two', 'out one', 'out three'].sort());
    });

    test('is not waited for where it leaves a process in the background', async () => {
      const started = performance.now();
      expect(await at.host.check('sleep 20 & echo done', { label })).toBe('done\n');
      expect(performance.now() - started).toBeLessThan(10_000);
    });

    test('runs beside others over the same connection', async () => {
      const results = await Promise.all(
        [1, 2, 3, 4, 5].map((n) => at.host.check(`sleep 0.2; echo ${n}`, { label })),
      );
      expect(results.map((text) => text.trim())).toEqual(['1', '2', '3', '4', '5']);
    });

    test('that fails is named by `check`, with its last lines and without its secrets', async () => {
      const traced: string[] = [];
      const loud = connect(at.target, quietContext({ trace: (line) => traced.push(line) }));
      const failed = loud.check('echo "password is hunter22"; echo broken >&2; exit 7', {
        label: 'load the seed',
        secrets: ['hunter22'],
      });
      await expect(failed).rejects.toMatchObject({
        kind: 'host',
        host: 'shell',
        step: 'load the seed',
        message: 'shell: load the seed failed (exit 7)',
        output: ['password is ***', 'broken'],
      });
      await loud.close();
      expect(traced.join('\n')).toContain('password is ***');
      expect(traced.join('\n')).not.toContain('hunter22');
    });

    test('that is killed on the host is not called a lost connection', async () => {
      await expect(at.host.script('kill -9 $$', { label })).rejects.toMatchObject({ reason: 'no-shell' });
    });

    test('that takes too long is ended on the host too', async () => {
      const slow = at.host.script('echo waiting; sleep 31415; echo never', { label: 'wait', timeoutMs: 500 });
      await expect(slow).rejects.toMatchObject({
        kind: 'host',
        message: 'shell: wait did not end within 500 ms',
        output: ['waiting'],
      });
      expect(await at.running('31415')).toBe('0');
    });

    test('that ignores SIGTERM is ended by force', async () => {
      const deaf = at.host.script("trap '' TERM; bash -c 'trap \"\" TERM; sleep 27182; sleep 27182'", {
        label,
        timeoutMs: 500,
      });
      await expect(deaf).rejects.toBeInstanceOf(Failure);
      expect(await at.running('27182')).toBe('0');
    });

    test('is ended on both sides by Ctrl-C, and the reason is thrown', async () => {
      const stop = new AbortController();
      const reason = new Failure('interrupted', 'stopped');
      const stopped = at.host.script('echo begun; sleep 16180', {
        label,
        signal: stop.signal,
        onStdout: () => stop.abort(reason),
      });
      await expect(stopped).rejects.toBe(reason);
      expect(await at.running('16180')).toBe('0');
    });

    test('is ended where the receiver of its lines fails, and that failure is thrown', async () => {
      const failing = at.host.script('echo begun; sleep 17320', {
        label,
        onStdout: () => {
          throw new RangeError('not a step');
        },
      });
      await expect(failing).rejects.toThrow('not a step');
      expect(await at.running('17320')).toBe('0');
    });
  });
}
