import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/errors.ts';
import type { SshTarget } from '../../src/ssh/connection.ts';
import { connectionFailure, wordsOf } from '../../src/ssh/failures.ts';

const target: SshTarget = {
  name: 'web-1',
  address: '10.0.0.7',
  port: 2222,
  user: 'deploy',
  identityFile: '/keys/id',
  knownHostsFile: '/keys/known hosts',
};

/** What OpenSSH printed (9.2 unless said), and what it means. */
describe('before the connection stands', () => {
  test.each([
    ['unreachable', 'ssh: connect to host 10.0.0.7 port 2222: No route to host'],
    ['unreachable', 'ssh: connect to host 10.0.0.7 port 2222: Network is unreachable'],
    ['unreachable', 'ssh: Could not resolve hostname web.invalid: Name or service not known'],
    ['unreachable', 'ssh: Could not resolve hostname web: Temporary failure in name resolution'],
    ['refused', 'ssh: connect to host 10.0.0.7 port 2222: Connection refused'],
    ['timeout', 'ssh: connect to host 10.0.0.7 port 2222: Connection timed out'],
    ['timeout', 'ssh: connect to host 10.0.0.7 port 2222: Operation timed out'],
    ['slow', 'Connection timed out during banner exchange\nConnection to 10.0.0.7 port 2222 timed out'],
    [
      'closed',
      'kex_exchange_identification: read: Connection reset by peer\nConnection reset by 10.0.0.7 port 2222',
    ],
    ['closed', 'kex_exchange_identification: Connection closed by remote host'],
    [
      'closed',
      '"System is booting up. Unprivileged users are not permitted to log in yet."\nConnection ' +
        'closed by 10.0.0.7 port 2222',
    ],
    [
      'closed',
      'Unable to negotiate with 10.0.0.7 port 2222: no matching host key type found. Their offer: ssh-rsa',
    ],
    ['permission', 'deploy@10.0.0.7: Permission denied (publickey).'],
    [
      'permission',
      'Warning: Identity file /keys/id not accessible: No such file or directory.\n' +
        'deploy@10.0.0.7: Permission denied (publickey,password).',
    ],
    [
      'permission',
      'Received disconnect from 10.0.0.7 port 2222:2: Too many authentication failures\n' +
        'Disconnected from 10.0.0.7 port 2222',
    ],
    [
      'host-key-changed',
      '@@@@@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@@@@@\n' +
        'Host key for [10.0.0.7]:2222 has changed and you have requested strict checking.\nHost ' +
        'key verification failed.',
    ],
    [
      'host-key-unknown',
      'No ED25519 host key is known for [10.0.0.7]:2222 and you have requested strict ' +
        'checking.\nHost key verification failed.',
    ],
    ['client', 'command-line: line 0: Bad configuration option: nosuchoption'],
    ['closed', 'something that nobody has seen before'],
  ])('%s: %s', (reason, stderr) => {
    const failure = connectionFailure(target, { stderr, exitCode: 255, connected: false });
    expect(failure).toMatchObject({ reason, host: 'web-1', output: stderr.split('\n') });
    expect(failure.kind).toBe(reason === 'client' ? 'usage' : 'host');
    expect(failure.next).toMatch(/\S/);
  });

  test('a client that was ended by our own clock took too long', () => {
    const failure = connectionFailure(target, { stderr: '', exitCode: null, connected: false });
    expect(failure).toMatchObject({ reason: 'slow', message: expect.stringContaining('signing in') });
  });

  test('a changed key comes with the command that removes the old one', () => {
    const stderr = 'REMOTE HOST IDENTIFICATION HAS CHANGED!';
    const { next } = connectionFailure(target, { stderr, exitCode: 255, connected: false });
    expect(next).toContain("ssh-keygen -f '/keys/known hosts' -R '[10.0.0.7]:2222'");
  });

  test('the message names address, port, user and key', () => {
    const stderr = 'deploy@10.0.0.7: Permission denied (publickey).';
    const { message } = connectionFailure(target, { stderr, exitCode: 255, connected: false });
    expect(message).toContain('10.0.0.7 port 2222');
    expect(message).toContain('/keys/id for deploy');
  });
});

describe('on a connection that stands', () => {
  test.each([
    ['no-sudo', 1, 'sudo: a password is required'],
    ['no-sudo', 1, 'deploy is not in the sudoers file.'],
    ['no-sudo', 1, "Sorry, user deploy is not allowed to execute '/usr/bin/env' as root on web-1."],
    ['no-sudo', 127, 'bash: line 1: sudo: command not found'],
    ['no-sudo', 1, 'sudo: sorry, you must have a tty to run sudo'],
    ['no-shell', 142, 'Please login as the user "admin" rather than the user "root".'],
    ['no-shell', 1, 'This account is currently not available.'],
    ['no-shell', 127, 'bash: line 1: exec: bash: not found'],
    ['lost', 255, ''],
    ['lost', 255, 'client_loop: send disconnect: Broken pipe'],
    ['lost', 255, 'Timeout, server 10.0.0.7 not responding.'],
    ['lost', 255, 'Connection refused'],
  ])('%s: exit %i, %s', (reason, exitCode, stderr) => {
    const failure = connectionFailure(target, { stderr, exitCode, connected: true, step: 'gather facts' });
    expect(failure).toMatchObject({ reason, host: 'web-1', step: 'gather facts', kind: 'host' });
    expect(failure.next).toMatch(/\S/);
  });
});

test('the message names the host, and a list that has its name shows the rest', () => {
  const failure = connectionFailure(target, { stderr: '', exitCode: 255, connected: true });
  expect(failure.message).toBe('web-1: the connection was lost half-way');
  expect(wordsOf(failure)).toBe('the connection was lost half-way');
  expect(wordsOf(new Failure('host', 'web-1: no room', { host: 'web-1' }))).toBe('web-1: no room');
});
