/** Connections that fail, each as it is met in practice. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { quietContext } from '../../../src/context.ts';
import { writeKnownHosts } from '../../../src/ssh/known-hosts.ts';
import { connect } from '../../../src/ssh/openssh.ts';
import { label, type ShellHost } from './shell-host.ts';

export function usualFailures(at: ShellHost): void {
  describe('the usual failures', () => {
    test('unreachable: nobody has the address', async () => {
      const address = at.machine.address.replace(/\d+$/, '253');
      expect(await at.failureOf({ address })).toMatchObject({ reason: 'unreachable' });
    });

    test('unreachable: the name has no address', async () => {
      expect(await at.failureOf({ address: 'no-such-host.invalid' })).toMatchObject({
        reason: 'unreachable',
      });
    });

    test('refused: nothing listens', async () => {
      expect(await at.failureOf({ port: 2299 })).toMatchObject({
        reason: 'refused',
        message: expect.stringContaining('2299'),
      });
    });

    test('time-out: a firewall drops what we send', async () => {
      await at.host.check(
        'nft add table inet drops; nft "add chain inet drops in { type filter hook input priority 0; }"; ' +
          'nft add rule inet drops in tcp dport 2298 drop',
        { label },
      );
      const started = performance.now();
      expect(await at.failureOf({ port: 2298 }, 1)).toMatchObject({ reason: 'timeout' });
      expect(performance.now() - started).toBeLessThan(4_000);
    });

    test('wrong key', async () => {
      const key = join(at.folder, 'another key');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
      const failure = await at.failureOf({ identityFile: key });
      expect(failure).toMatchObject({ reason: 'permission', message: expect.stringContaining(key) });
    });

    test('host key changed: nothing is sent', async () => {
      const other = join(at.folder, 'other host');
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
      const knownHostsFile = join(at.folder, 'changed');
      const { address, port } = at.machine;
      await writeKnownHosts(knownHostsFile, [
        { address, port, keys: [readFileSync(`${other}.pub`, 'utf8')] },
      ]);
      expect(await at.failureOf({ knownHostsFile })).toMatchObject({
        reason: 'host-key-changed',
        next: expect.stringContaining('ssh-keygen -f'),
      });
    });

    test('host key unknown: an option of the inventory cannot loosen that', async () => {
      const knownHostsFile = join(at.folder, 'empty');
      writeFileSync(knownHostsFile, '');
      const options = ['StrictHostKeyChecking=no'];
      expect(await at.failureOf({ knownHostsFile, options })).toMatchObject({ reason: 'host-key-unknown' });
      expect(readFileSync(knownHostsFile, 'utf8')).toBe('');
    });

    test('no sudo, then sudo with a password, then sudo without', async () => {
      await at.host.check(
        `useradd --create-home --shell /bin/bash deployer
         install -d -m 0700 -o deployer /home/deployer/.ssh
         install -m 0600 -o deployer /root/.ssh/authorized_keys /home/deployer/.ssh/authorized_keys`,
        { label },
      );
      await at.host.check('mv /usr/bin/sudo /usr/bin/sudo.away', { label });
      expect(await at.failureOf({ user: 'deployer' })).toMatchObject({
        reason: 'no-sudo',
        message: expect.stringContaining('not installed'),
      });
      await at.host.check('mv /usr/bin/sudo.away /usr/bin/sudo', { label });
      expect(await at.failureOf({ user: 'deployer' })).toMatchObject({
        reason: 'no-sudo',
        message: expect.stringContaining('without a password'),
      });
      await at.host.check("echo 'deployer ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/deployer", { label });
      const deployer = connect(await at.targetFor({ user: 'deployer' }), quietContext());
      expect(await deployer.script('id -un; echo "$HOME"; exit 1', { label })).toEqual({
        exitCode: 1,
        stdout: 'root\n/root\n',
        stderr: '',
      });
      const slow = deployer.script('sleep 14142', { label, timeoutMs: 500 });
      await expect(slow).rejects.toThrow('did not end');
      expect(await at.running('14142')).toBe('0');
      await deployer.upload({ data: Buffer.from('as root') }, '/root/uploaded', { mode: '0600' });
      expect(await at.host.check('stat -c "%U %a" /root/uploaded', { label })).toBe('root 600\n');
      await deployer.close();
    });

    test('no ordinary shell', async () => {
      await at.host.check(
        'useradd --create-home --shell /usr/sbin/nologin nobash; cp -r /root/.ssh /home/nobash/; ' +
          'chown -R nobash /home/nobash/.ssh',
        {
          label,
        },
      );
      expect(await at.failureOf({ user: 'nobash' })).toMatchObject({ reason: 'no-shell' });
    });

    test.each([
      ['the host ends it', 'sleep 0.5; kill -9 $PPID'],
      [
        'the network swallows it',
        'nft add table inet cut; nft "add chain inet cut out { type filter hook output priority 0; }"; ' +
          'nft add rule inet cut out tcp sport 22 drop; (sleep 6; nft delete table inet cut) &',
      ],
    ])('connection lost half-way: %s; the next command makes a new one', async (_how, cut) => {
      const fresh = connect(at.target, quietContext(), { silenceSeconds: 3 });
      const lost = fresh.script(`echo before\n${cut}\nsleep 20`, { label: 'half a job' });
      await expect(lost).rejects.toMatchObject({ reason: 'lost', step: 'half a job', output: ['before'] });
      expect(await fresh.check('echo after', { label })).toBe('after\n');
      await fresh.close();
    });
  });
}
