import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Machine } from '../../src/cloud/provider.ts';
import { quietContext } from '../../src/context.ts';
import { Failure } from '../../src/errors.ts';
import type { Connection, SshTarget } from '../../src/ssh/connection.ts';
import { ConnectionFailure } from '../../src/ssh/failures.ts';
import { writeKnownHosts } from '../../src/ssh/known-hosts.ts';
import { connect } from '../../src/ssh/openssh.ts';
import { hostsUnavailable, startHosts, type TestHosts } from '../support/hosts.ts';

const unavailable = hostsUnavailable();
const label = 'test';

describe.skipIf(unavailable !== undefined)(`connections to a real host (${unavailable ?? 'local'})`, () => {
  let hosts: TestHosts;
  let machine: Machine;
  let folder: string;
  let target: SshTarget;
  let host: Connection;

  beforeAll(async () => {
    hosts = await startHosts({ names: ['shell'] });
    machine = hosts.machine('shell');
    folder = mkdtempSync(join(tmpdir(), 'pipeline ssh test 100%-'));
    target = await targetFor({});
    host = connect(target, quietContext());
  });

  afterAll(async () => {
    await host?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    await hosts?.stop();
  });

  /** The host under another port, user, key …; its key is known. */
  async function targetFor(changes: Partial<SshTarget>): Promise<SshTarget> {
    const { name, address, port, user, identityFile, hostKeys } = machine;
    const knownHostsFile = join(folder, `known hosts ${changes.port ?? port}`);
    await writeKnownHosts(knownHostsFile, [{ address, port: changes.port ?? port, keys: hostKeys }]);
    return { name, address, port, user, identityFile, knownHostsFile, ...changes };
  }

  /** What a first command on a connection fails with. */
  async function failureOf(
    changes: Partial<SshTarget>,
    connectTimeoutSeconds = 5,
  ): Promise<ConnectionFailure> {
    const connection = connect(await targetFor(changes), quietContext(), { connectTimeoutSeconds });
    try {
      const result = await connection.script('true', { label });
      throw new Error(`it worked: ${JSON.stringify(result)}`);
    } catch (error) {
      if (!(error instanceof ConnectionFailure)) throw error;
      expect(error).toMatchObject({ kind: 'host', host: 'shell', next: expect.stringMatching(/\S/) });
      return error;
    } finally {
      await connection.close();
    }
  }

  /** Processes on the host whose command line holds a text. */
  const running = async (text: string) =>
    (await host.check(`echo ${text} | grep -lsaFf - /proc/[0-9]*/cmdline | wc -l`, { label })).trim();

  describe('a script', () => {
    test('gives its output and its exit code', async () => {
      const result = await host.script('echo out; echo err >&2; exit 3', { label });
      expect(result).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
    });

    test('is told from what a chatty shell prints before it, as is a file', async () => {
      await host.check("printf 'echo Welcome back\\nprintf %s no-line-end\\n' >/root/.bashrc", { label });
      try {
        const lines: string[] = [];
        const result = await host.script('echo out; echo more', {
          label,
          onStdout: (line) => lines.push(line),
        });
        expect(result.stdout).toBe('out\nmore\n');
        expect(lines).toEqual(['out', 'more']);
        await host.upload({ data: Buffer.from('text') }, '/root/chatty', { mode: '0600' });
        expect(await host.check('cat /root/chatty; bash -ic true 2>/dev/null', { label })).toMatch(/^text/);
      } finally {
        await host.check('rm -f /root/.bashrc /root/chatty', { label });
      }
    });

    test('may end with 255, which is not a lost connection', async () => {
      expect(await host.script('printf "no line end" >&2; exit 255', { label })).toEqual({
        exitCode: 255,
        stdout: '',
        stderr: 'no line end',
      });
    });

    test('may be large, hold any character, and read an empty standard input', async () => {
      const comment = `# ${'x'.repeat(100)} 'quoted' "twice" $(never) é\n`.repeat(10_000);
      expect(await host.check(`${comment}cat; echo 'ü $HOME \\n "'`, { label })).toBe('ü $HOME \\n "\n');
    });

    test('hands its lines over while it runs', async () => {
      const lines: string[] = [];
      const seen = new Promise<void>((resolve) => {
        const running = host.script('echo one; echo two >&2; sleep 1; echo three; printf four >&2', {
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
      expect(await host.check('sleep 20 & echo done', { label })).toBe('done\n');
      expect(performance.now() - started).toBeLessThan(10_000);
    });

    test('runs beside others over the same connection', async () => {
      const results = await Promise.all(
        [1, 2, 3, 4, 5].map((n) => host.check(`sleep 0.2; echo ${n}`, { label })),
      );
      expect(results.map((text) => text.trim())).toEqual(['1', '2', '3', '4', '5']);
    });

    test('that fails is named by `check`, with its last lines and without its secrets', async () => {
      const traced: string[] = [];
      const loud = connect(target, quietContext({ trace: (line) => traced.push(line) }));
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
      await expect(host.script('kill -9 $$', { label })).rejects.toMatchObject({ reason: 'no-shell' });
    });

    test('that takes too long is ended on the host too', async () => {
      const slow = host.script('echo waiting; sleep 31415; echo never', { label: 'wait', timeoutMs: 500 });
      await expect(slow).rejects.toMatchObject({
        kind: 'host',
        message: 'shell: wait did not end within 500 ms',
        output: ['waiting'],
      });
      expect(await running('31415')).toBe('0');
    });

    test('that ignores SIGTERM is ended by force', async () => {
      const deaf = host.script("trap '' TERM; bash -c 'trap \"\" TERM; sleep 27182; sleep 27182'", {
        label,
        timeoutMs: 500,
      });
      await expect(deaf).rejects.toBeInstanceOf(Failure);
      expect(await running('27182')).toBe('0');
    });

    test('is ended on both sides by Ctrl-C, and the reason is thrown', async () => {
      const stop = new AbortController();
      const reason = new Failure('interrupted', 'stopped');
      const stopped = host.script('echo begun; sleep 16180', {
        label,
        signal: stop.signal,
        onStdout: () => stop.abort(reason),
      });
      await expect(stopped).rejects.toBe(reason);
      expect(await running('16180')).toBe('0');
    });

    test('is ended where the receiver of its lines fails, and that failure is thrown', async () => {
      const failing = host.script('echo begun; sleep 17320', {
        label,
        onStdout: () => {
          throw new RangeError('not a step');
        },
      });
      await expect(failing).rejects.toThrow('not a step');
      expect(await running('17320')).toBe('0');
    });
  });

  describe('the usual failures', () => {
    test('unreachable: nobody has the address', async () => {
      const address = machine.address.replace(/\d+$/, '253');
      expect(await failureOf({ address })).toMatchObject({ reason: 'unreachable' });
    });

    test('unreachable: the name has no address', async () => {
      expect(await failureOf({ address: 'no-such-host.invalid' })).toMatchObject({ reason: 'unreachable' });
    });

    test('refused: nothing listens', async () => {
      expect(await failureOf({ port: 2299 })).toMatchObject({
        reason: 'refused',
        message: expect.stringContaining('2299'),
      });
    });

    test('time-out: a firewall drops what we send', async () => {
      await host.check(
        'nft add table inet drops; nft "add chain inet drops in { type filter hook input priority 0; }"; ' +
          'nft add rule inet drops in tcp dport 2298 drop',
        { label },
      );
      const started = performance.now();
      expect(await failureOf({ port: 2298 }, 1)).toMatchObject({ reason: 'timeout' });
      expect(performance.now() - started).toBeLessThan(4_000);
    });

    test('wrong key', async () => {
      const key = join(folder, 'another key');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
      const failure = await failureOf({ identityFile: key });
      expect(failure).toMatchObject({ reason: 'permission', message: expect.stringContaining(key) });
    });

    test('host key changed: nothing is sent', async () => {
      const other = join(folder, 'other host');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
      const knownHostsFile = join(folder, 'changed');
      const { address, port } = machine;
      await writeKnownHosts(knownHostsFile, [
        { address, port, keys: [readFileSync(`${other}.pub`, 'utf8')] },
      ]);
      expect(await failureOf({ knownHostsFile })).toMatchObject({
        reason: 'host-key-changed',
        next: expect.stringContaining('ssh-keygen -f'),
      });
    });

    test('host key unknown: an option of the inventory cannot loosen that', async () => {
      const knownHostsFile = join(folder, 'empty');
      writeFileSync(knownHostsFile, '');
      const options = ['StrictHostKeyChecking=no'];
      expect(await failureOf({ knownHostsFile, options })).toMatchObject({ reason: 'host-key-unknown' });
      expect(readFileSync(knownHostsFile, 'utf8')).toBe('');
    });

    test('no sudo, then sudo with a password, then sudo without', async () => {
      await host.check(
        `useradd --create-home --shell /bin/bash deployer
         install -d -m 0700 -o deployer /home/deployer/.ssh
         install -m 0600 -o deployer /root/.ssh/authorized_keys /home/deployer/.ssh/authorized_keys`,
        { label },
      );
      await host.check('mv /usr/bin/sudo /usr/bin/sudo.away', { label });
      expect(await failureOf({ user: 'deployer' })).toMatchObject({
        reason: 'no-sudo',
        message: expect.stringContaining('not installed'),
      });
      await host.check('mv /usr/bin/sudo.away /usr/bin/sudo', { label });
      expect(await failureOf({ user: 'deployer' })).toMatchObject({
        reason: 'no-sudo',
        message: expect.stringContaining('without a password'),
      });
      await host.check("echo 'deployer ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/deployer", { label });
      const deployer = connect(await targetFor({ user: 'deployer' }), quietContext());
      expect(await deployer.script('id -un; echo "$HOME"; exit 1', { label })).toEqual({
        exitCode: 1,
        stdout: 'root\n/root\n',
        stderr: '',
      });
      const slow = deployer.script('sleep 14142', { label, timeoutMs: 500 });
      await expect(slow).rejects.toThrow('did not end');
      expect(await running('14142')).toBe('0');
      await deployer.upload({ data: Buffer.from('as root') }, '/root/uploaded', { mode: '0600' });
      expect(await host.check('stat -c "%U %a" /root/uploaded', { label })).toBe('root 600\n');
      await deployer.close();
    });

    test('no ordinary shell', async () => {
      await host.check(
        'useradd --create-home --shell /usr/sbin/nologin nobash; cp -r /root/.ssh /home/nobash/; ' +
          'chown -R nobash /home/nobash/.ssh',
        {
          label,
        },
      );
      expect(await failureOf({ user: 'nobash' })).toMatchObject({ reason: 'no-shell' });
    });

    test.each([
      ['the host ends it', 'sleep 0.5; kill -9 $PPID'],
      [
        'the network swallows it',
        'nft add table inet cut; nft "add chain inet cut out { type filter hook output priority 0; }"; ' +
          'nft add rule inet cut out tcp sport 22 drop; (sleep 6; nft delete table inet cut) &',
      ],
    ])('connection lost half-way: %s; the next command makes a new one', async (_how, cut) => {
      const fresh = connect(target, quietContext(), { silenceSeconds: 3 });
      const lost = fresh.script(`echo before\n${cut}\nsleep 20`, { label: 'half a job' });
      await expect(lost).rejects.toMatchObject({ reason: 'lost', step: 'half a job', output: ['before'] });
      expect(await fresh.check('echo after', { label })).toBe('after\n');
      await fresh.close();
    });
  });

  describe('an upload', () => {
    test('replaces a file as a whole, with its mode, and says how far it is', async () => {
      const data = Buffer.alloc(5_000_000, 'x');
      const local = join(folder, 'local');
      writeFileSync(local, data);
      const sent: number[] = [];
      await host.upload({ path: local }, "/srv/new folder/it's", {
        mode: '0640',
        onProgress: (bytes) => sent.push(bytes),
      });
      expect(
        await host.check(`stat -c '%s %a %U' "/srv/new folder/it's"; ls -A '/srv/new folder' | wc -l`, {
          label,
        }),
      ).toBe('5000000 640 root\n1\n');
      expect(sent.at(-1)).toBe(5_000_000);
      expect(sent.length).toBeGreaterThan(10);
      await host.upload({ data: new Uint8Array() }, "/srv/new folder/it's", {});
      expect(await host.check(`stat -c '%s %a' "/srv/new folder/it's"`, { label })).toBe('0 644\n');
    });

    test('to a full disk says how much room there is, and leaves what stood there', async () => {
      await host.check(
        'mkdir -p /srv/small; mount -t tmpfs -o size=1M tmpfs /srv/small; echo old > /srv/small/file',
        { label },
      );
      const full = host.upload({ data: Buffer.alloc(3_000_000) }, '/srv/small/file', {});
      await expect(full).rejects.toMatchObject({
        kind: 'host',
        message: expect.stringMatching(
          /^shell: upload \/srv\/small\/file: no room for 3 MB, \S+ (k|M)?B free of 1\.05 MB$/,
        ),
      });
      expect(await host.check('cat /srv/small/file; ls -A /srv/small', { label })).toBe('old\nfile\n');
    });

    test('that is stopped half-way leaves what stood there', async () => {
      await host.check('echo old > /srv/stopped', { label });
      const stop = new AbortController();
      const upload = host.upload({ data: Buffer.alloc(200_000_000) }, '/srv/stopped', {
        signal: stop.signal,
        onProgress: (bytes) => {
          if (bytes > 1_000_000) stop.abort(new Failure('interrupted', 'stopped'));
        },
      });
      await expect(upload).rejects.toThrow('stopped');
      await expect
        .poll(() => host.check('cat /srv/stopped; ls /srv | grep -c stopped', { label }))
        .toBe('old\n1\n');
    });

    test('to a place that is no file, or of a file that is not there, is refused', async () => {
      await expect(host.upload({ data: Buffer.from('x') }, '/srv', {})).rejects.toThrow('upload /srv failed');
      await expect(host.upload({ path: join(folder, 'nothing') }, '/srv/x', {})).rejects.toThrow('nothing');
    });
  });

  describe('the shared connection', () => {
    test('is reused: a second command takes a fraction of the first', async () => {
      const fresh = connect(target, quietContext());
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
      const fresh = connect(target, quietContext());
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
      const program = join(folder, 'program.mjs');
      buildSync({
        stdin: {
          resolveDir: import.meta.dirname,
          contents: `import { quietContext } from '../../src/context.ts';
            import { connect } from '../../src/ssh/openssh.ts';
            const connection = connect(${JSON.stringify(target)}, quietContext(), { persistSeconds: 1 });
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
      const next = connect(target, quietContext());
      await next.check('true', { label });
      await next.close();
      expect(readdirSync(tmpdir()).filter((name) => name.startsWith(made))).toEqual([]);
    });

    test('holds nothing of its program open: the program ends when its work does', async () => {
      const started = performance.now();
      const program = join(folder, 'short.mjs');
      buildSync({
        stdin: {
          resolveDir: import.meta.dirname,
          contents: `import { quietContext } from '../../src/context.ts';
            import { connect } from '../../src/ssh/openssh.ts';
            const connection = connect(${JSON.stringify(target)}, quietContext(), { persistSeconds: 20 });
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
      const fresh = connect(target, quietContext());
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

  test('its arguments are for any other program, strict as it is itself', async () => {
    const program = spawn('ssh', [...host.sshArguments(), 'echo "$USER"'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    program.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    await new Promise((resolve) => program.once('close', resolve));
    expect(printed).toBe('root\n');
    expect(host.sshArguments()).toContain('StrictHostKeyChecking=yes');
  });
});

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
