/** One connection for many commands. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buildSync } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { quietContext } from '../../../src/context.ts';
import { connect } from '../../../src/ssh/openssh.ts';
import { label, type ShellHost } from './shell-host.ts';

export function sharedConnection(at: ShellHost): void {
  describe('the shared connection', () => {
    test('is reused: a second command takes a fraction of the first', async () => {
      const fresh = connect(at.target, quietContext());
      const time = async () => {
        const started = performance.now();
        await fresh.check('true', { label });
        return performance.now() - started;
      };
      const first = await time();
      const later = [await time(), await time(), await time()];
      await fresh.close();
      expect(Math.min(...later)).toBeLessThan(first / 2);
    });

    test('is closed with its folder; closing twice is nothing; a later call opens it again', async () => {
      const fresh = connect(at.target, quietContext());
      const before = socketFolders();
      await fresh.check('true', { label });
      const made = socketFolders().filter((name) => !before.includes(name));
      expect(made).toHaveLength(1);
      await fresh.close();
      await fresh.close();
      expect(existsSync(join(tmpdir(), made[0] ?? ''))).toBe(false);
      expect(await fresh.check('echo again', { label })).toBe('again\n');
      await fresh.close();
      await expect.poll(() => masters(made[0] ?? '')).toBe(0);
    });

    test('of a killed program ends by itself, and its folder goes with the next program', async () => {
      const program = join(at.folder, 'program.mjs');
      buildSync({
        stdin: {
          resolveDir: import.meta.dirname,
          contents: `import { quietContext } from '../../../src/context.ts';
            import { connect } from '../../../src/ssh/openssh.ts';
            const connection = connect(${JSON.stringify(at.target)}, quietContext(), { persistSeconds: 1 });
            await connection.script('echo ready; sleep 3', { label: 'test', onStdout: console.log });`,
          loader: 'ts',
        },
        bundle: true,
        platform: 'node',
        format: 'esm',
        outfile: program,
        logLevel: 'error',
      });
      const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const made = `pipeline-ssh-${child.pid}-`;
      expect(masters(made)).toBeGreaterThan(0);
      child.kill('SIGKILL');
      await expect.poll(() => masters(made), { timeout: 20_000, interval: 200 }).toBe(0);
      const next = connect(at.target, quietContext());
      await next.check('true', { label });
      await next.close();
      expect(readdirSync(tmpdir()).filter((name) => name.startsWith(made))).toEqual([]);
    });

    test('holds nothing of its program open: the program ends when its work does', async () => {
      const started = performance.now();
      const program = join(at.folder, 'short.mjs');
      buildSync({
        stdin: {
          resolveDir: import.meta.dirname,
          contents: `import { quietContext } from '../../../src/context.ts';
            import { connect } from '../../../src/ssh/openssh.ts';
            const connection = connect(${JSON.stringify(at.target)}, quietContext(), { persistSeconds: 20 });
            console.log(await connection.check('echo done', { label: 'test' }));`,
          loader: 'ts',
        },
        bundle: true,
        platform: 'node',
        format: 'esm',
        outfile: program,
        logLevel: 'error',
      });
      // It does not even close the connection; whoever reads its output sees the end at once.
      expect(execFileSync(process.execPath, [program], { encoding: 'utf8' })).toBe('done\n\n');
      expect(performance.now() - started).toBeLessThan(10_000);
    });

    test('survives a reboot of the host', async () => {
      const fresh = connect(at.target, quietContext());
      const boot = () =>
        fresh.check('cat /proc/sys/kernel/random/boot_id; systemctl show -p UserspaceTimestampMonotonic', {
          label,
        });
      const before = await boot();
      await fresh.script('systemctl --no-block reboot', { label }).catch(() => undefined);
      await delay(2_000);
      await expect
        .poll(() => boot().catch(() => before), { timeout: 60_000, interval: 500 })
        .not.toBe(before);
      await fresh.close();
    });
  });
}

function socketFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`pipeline-ssh-${process.pid}-`));
}

/** ssh processes of this machine that speak of a socket folder. */
function masters(name: string): number {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return (
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('ssh\0') &&
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(name)
      );
    } catch {
      return false;
    }
  }).length;
}
