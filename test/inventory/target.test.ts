import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { quietContext } from '../../src/context.ts';
import { Failure } from '../../src/errors.ts';
import { parseInventory } from '../../src/inventory/parse.ts';
import { parseSshArguments } from '../../src/inventory/ssh-options.ts';
import { sshTargets } from '../../src/inventory/target.ts';
import { sshArguments } from '../../src/ssh/arguments.ts';
import { publicAddress } from '../../src/ssh/connection.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-target-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function targets(text: string) {
  const context = quietContext({ cwd: folder, env: { ...process.env, HOME: folder } });
  const inventory = { ...parseInventory(text, 'inventory.ini'), path: join(folder, 'inv', 'inventory.ini') };
  return sshTargets(inventory, [...inventory.hosts.values()], context);
}

describe('a host of an inventory', () => {
  test('is reached as its variables say', async () => {
    mkdirSync(join(folder, '.ssh'));
    mkdirSync(join(folder, 'inv'));
    for (const key of ['.ssh/id', 'here', 'inv/there']) writeFileSync(join(folder, key), '');
    const found = await targets(
      `[all:vars]
ansible_user=vagrant
a ansible_host=10.0.0.1 ansible_port=2200 ansible_ssh_private_key_file=~/.ssh/id`.replace(
        /^a /m,
        '\n[web]\na ',
      ) +
        `
b:2222 ansible_ssh_private_key_file=here ansible_user=root
c ansible_ssh_port=2201 ansible_private_key_file=there`,
    );
    expect(found).toEqual([
      { name: 'a', address: '10.0.0.1', port: 2200, user: 'vagrant', identityFile: join(folder, '.ssh/id') },
      { name: 'b', address: 'b', port: 2222, user: 'root', identityFile: join(folder, 'here') },
      { name: 'c', address: 'c', port: 2201, user: 'vagrant', identityFile: join(folder, 'inv/there') },
    ]);
  });

  test('with one variable under two names is reached as Ansible reaches it', async () => {
    const [target] = await targets(
      'h ansible_host=one ansible_ssh_host=two ansible_user=a ansible_ssh_user=b ansible_port=1 ' +
        'ansible_ssh_port=2',
    );
    expect(target).toEqual({ name: 'h', address: 'two', user: 'b', port: 2 });
  });

  test('is what ssh itself takes it for, where the inventory is silent', async () => {
    const [target] = await targets('somewhere.invalid');
    expect(target).toMatchObject({
      address: 'somewhere.invalid',
      port: 22,
      user: expect.stringMatching(/\S/),
    });
  });

  test("takes ssh's configuration from -F, and its arguments from all three variables in order", async () => {
    mkdirSync(join(folder, '.ssh'));
    writeFileSync(join(folder, '.ssh/config'), 'Host 10.0.1.10\n  Port 2233\n  User deploy\n');
    const [frontend] = await targets(
      `frontend ansible_host=10.0.1.10
[all:vars]
ansible_ssh_common_args='-F ~/.ssh/config -o ProxyJump=second.example.com'
ansible_ssh_args=-o ProxyJump=bastion.example.com -o ControlMaster=auto -o ControlPersist=60s`,
    );
    expect(frontend).toEqual({
      name: 'frontend',
      address: '10.0.1.10',
      port: 2233,
      user: 'deploy',
      configFile: join(folder, '.ssh/config'),
      options: ['ProxyJump=bastion.example.com', 'ProxyJump=second.example.com'],
    });
    if (frontend === undefined) throw new Error('no host');
    const args = sshArguments(frontend, { connectTimeoutSeconds: 5, silenceSeconds: 15 });
    expect(args.slice(0, 2)).toEqual(['-F', join(folder, '.ssh/config')]);
  });

  test('whose ssh configuration is not there says so', async () => {
    await expect(targets('h ansible_ssh_common_args="-F nothing.conf"')).rejects.toThrow(
      /^h: the ssh configuration .*nothing.conf does not exist$/,
    );
  });

  test.each([
    ['ansible_ssh_private_key', 'SECRET'],
    ['ansible_private_key_passphrase', 'SECRET'],
    ['ansible_ssh_pkcs11_provider', '/lib/SECRET.so'],
    ['ansible_become_flags', '-H -u SECRET'],
    ['ansible_ssh_executable', '/opt/SECRET/ssh'],
  ])(
    'with %s, which would reach it in another way, is refused by name and without its value',
    async (name, value) => {
      const failure = (await targets(`h ${name}="${value}"`).catch((error: unknown) => error)) as Failure;
      expect(failure.message).toMatch(new RegExp(`^h: ${name} cannot be used: .* instead$`));
      expect(failure.message).not.toContain('SECRET');
    },
  );

  test('has an IPv6 address, in brackets or without', async () => {
    const found = await targets(
      `web1 ansible_host=2001:db8::11
[2001:db8::12]:2222
web3 ansible_host=[2001:db8::13]`,
    );
    expect(found.map(({ address, port }) => [address, port])).toEqual([
      ['2001:db8::11', 22],
      ['2001:db8::12', 2222],
      ['2001:db8::13', 22],
    ]);
  });

  test('named by an alias of ssh has the address of the alias, for whoever does not read it', async () => {
    writeFileSync(join(folder, 'config'), 'Host mon\n  HostName 192.0.2.7\n  User admin\n  Port 2222\n');
    const found = await targets(`mon ansible_ssh_args="-F ${join(folder, 'config')}"\n192.0.2.8`);
    expect(found).toMatchObject([
      { name: 'mon', address: 'mon', hostName: '192.0.2.7', user: 'admin', port: 2222 },
      { name: '192.0.2.8', port: 22 },
    ]);
    expect(found.map(publicAddress)).toEqual(['192.0.2.7', '192.0.2.8']);
  });

  test('takes a port from the arguments for ssh as ssh does', async () => {
    const [target] = await targets("web.invalid ansible_ssh_common_args='-p 2222 -l admin'");
    expect(target).toMatchObject({ port: 2222, user: 'admin' });
  });

  test('stands in a file that an editor of Windows wrote', async () => {
    const found = await targets(
      [
        '\uFEFF[web]',
        'web1 ansible_host=192.0.2.11 ansible_user=root',
        '',
        '[web:vars]',
        'ansible_ssh_common_args=-o ProxyCommand="ssh -W %h:%p -q ubuntu@bastion.example.com"',
        '',
      ].join('\r\n'),
    );
    expect(found).toMatchObject([
      { name: 'web1', options: ['ProxyCommand=ssh -W %h:%p -q ubuntu@bastion.example.com'] },
    ]);
  });

  test('whose arguments for ssh are a template is refused', async () => {
    await expect(targets("h ansible_ssh_common_args='-J {{ bastion }}'")).rejects.toThrow(
      'ansible_ssh_common_args is a template',
    );
  });

  test('cannot be reached in some ways: all are named at once', async () => {
    const text = `a ansible_connection=docker ansible_port=ssh
b ansible_password=secret ansible_become_pass=secret
c ansible_become_method=doas ansible_become_user=app
d ansible_ssh_private_key_file=~/nothing
e ansible_ssh_common_args="-W other:22"
f ansible_host="{{ address }}"`;
    const failure = await targets(text).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect((failure as Failure).kind).toBe('usage');
    expect((failure as Failure).output).toEqual([
      'a: ansible_connection=docker cannot be used: hosts are reached over SSH',
      'a: ansible_port must be a number from 1 to 65535, got: ssh',
      'b: ansible_password cannot be used: sign in with a key instead',
      'b: ansible_become_pass cannot be used: allow sudo without a password instead',
      'c: ansible_become_method=doas cannot be used: root is reached through sudo',
      'c: ansible_become_user=app cannot be used: hosts are configured as root',
      'e: ansible_ssh_common_args: cannot take over the ssh argument -W: use -o Key=value',
      'f: ansible_host is a template ({{ address }}), which only Ansible can fill in: write the value',
      `d: the private key ${join(folder, 'nothing')} does not exist`,
    ]);
    expect(JSON.stringify(failure)).not.toContain('secret');
  });
});

describe('arguments for ssh', () => {
  test.each([
    ['', { options: [] }],
    ['-o ServerAliveInterval=5 -oCompression=yes', { options: ['ServerAliveInterval=5', 'Compression=yes'] }],
    ['-J bastion -4', { options: ['ProxyJump=bastion', 'AddressFamily=inet'] }],
    ['-o ProxyCommand="ssh -W %h:%p -q bastion"', { options: ['ProxyCommand=ssh -W %h:%p -q bastion'] }],
    ["-o 'Port 2222'", { options: ['Port=2222'] }],
    ['-i ~/key -q', { options: [], identityFile: '~/key' }],
    ['-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null', { options: [] }],
    ['-o ControlMaster=auto -o ControlPersist=60s', { options: [] }],
    [`-o 'UserKnownHostsFile="/a b/100%%"'`, { options: [], knownHostsFile: '/a b/100%' }],
  ])('%s', (text, expected) => expect(parseSshArguments(text)).toEqual(expected));

  test.each(['-L 80:x:80', '-o', '-o nothing', '"open', 'word'])('%s is refused', (text) =>
    expect(() => parseSshArguments(text)).toThrow(SyntaxError),
  );
});
