/** What a local host is: a machine that behaves like a droplet. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLocalProvider } from '../../../src/cloud/local/provider.ts';
import type { EnvironmentSpec } from '../../../src/cloud/provider.ts';
import { quietContext } from '../../../src/context.ts';
import { hostsUnavailable, sshArguments, startHosts, type TestHosts } from '../../support/hosts.ts';

const unavailable = hostsUnavailable();
if (unavailable !== undefined) process.stderr.write(`SKIPPED local hosts: ${unavailable}\n`);

const MEMORY = 256 * 2 ** 20;

describe.skipIf(unavailable !== undefined)('a local host', () => {
  let hosts: TestHosts;
  beforeAll(async () => {
    hosts = await startHosts({ names: ['db', 'web'], memory: MEMORY, cpus: 0.5 });
  });
  afterAll(() => hosts?.stop());

  const ssh = async (name: string, command: string, input = ''): Promise<string> => {
    const running = promisify(execFile)('ssh', [...sshArguments(hosts.machine(name)), command]);
    running.child.stdin?.end(input);
    return (await running).stdout.trim();
  };
  const plan = async () => (await hosts.provider.plan()).changes;
  const applied = async (spec: EnvironmentSpec, env: NodeJS.ProcessEnv = process.env) => {
    const provider = createLocalProvider(quietContext({ env }), spec);
    const { changes } = await provider.plan();
    await provider.apply(await provider.plan());
    return changes.map(({ host, step, action }) => `${host ?? '-'} ${step} ${action}`);
  };

  test('accepts strict connections, with systemd as process 1 and nothing failed', async () => {
    expect(await ssh('web', 'hostname; cat /proc/1/comm; systemctl is-system-running --wait')).toBe(
      'web\nsystemd\nrunning',
    );
    expect(hosts.machines.map(({ state }) => state)).toEqual(['running', 'running']);
    expect(await plan()).toEqual([]);
  });

  test('shows the key that was known before the first connection, and no other', async () => {
    const keys = await ssh('web', 'cat /etc/ssh/ssh_host_*_key.pub');
    expect(keys.split(' ').slice(0, 2).join(' ')).toBe(hosts.machine('web').hostKeys[0]);
    expect(hosts.machine('db').hostKeys).not.toEqual(hosts.machine('web').hostKeys);
  });

  test('is a machine of its own: another id, another address, reached by the others', async () => {
    const [db, web] = await Promise.all(
      ['db', 'web'].map((name) => ssh(name, 'cat /etc/machine-id; hostname -I')),
    );
    expect(db).not.toBe(web);
    expect(web).toContain(hosts.machine('web').address);
    const { address } = hosts.machine('db');
    expect(await ssh('web', `timeout 5 head -c 4 < /dev/tcp/${address}/22`)).toBe('SSH-');
  });

  test('installs packages as this machine does', async () => {
    await ssh('web', 'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq hello');
    expect(await ssh('web', 'hello')).toBe('Hello, world!');
  });

  test('has its own firewall, which another host and a reboot do not see', async () => {
    const rules = 'table inet probe {\n  chain input {\n    type filter hook input priority 0;\n  }\n}\n';
    await ssh('web', 'nft -f -', rules);
    expect(await ssh('web', 'nft list tables')).toContain('probe');
    expect(await ssh('db', 'nft list tables')).toBe('');
    await ssh('web', 'touch /root/kept');
    await hosts.reboot('web');
    expect(await ssh('web', 'ls /root/kept; nft list tables; systemctl is-system-running --wait')).toBe(
      '/root/kept\nrunning',
    );
  });

  test('survives a power cut with its disk', async () => {
    await ssh('web', 'echo data > /root/data');
    await hosts.powerCut('web');
    expect((await plan()).map(({ host, action }) => `${host} ${action}`)).toEqual(['web restart']);
    await hosts.provider.apply(await hosts.provider.plan());
    expect(await ssh('web', 'cat /root/data')).toBe('data');
  });

  test('is started again after it was powered off', async () => {
    await ssh('db', 'systemctl poweroff || true');
    await expect
      .poll(async () => (await plan()).map(({ step, action }) => `${step} ${action}`), { timeout: 10_000 })
      .toEqual(['host restart']);
    await hosts.provider.apply(await hosts.provider.plan());
    expect(await plan()).toEqual([]);
  });

  test('cannot use more memory than its limit; a unit inside can be limited further', async () => {
    const eat = (megabytes: number) => `python3 -c "b = b'x' * (${megabytes} * 1024 * 1024); print(len(b))"`;
    expect(await ssh('web', eat(100))).toBe(String(100 * 2 ** 20));
    await expect(ssh('web', `${eat(400)}; exit $?`)).rejects.toMatchObject({ code: 137 });
    const limited = `systemd-run --quiet --wait --collect -p MemoryMax=50M ${eat(100)}`;
    await expect(ssh('web', limited)).rejects.toMatchObject({ code: expect.any(Number) });
    expect(
      await ssh('web', `systemd-run --quiet --wait --collect -p MemoryMax=200M ${eat(100)} && echo fine`),
    ).toBe('fine');
  });

  test('cannot use more processor time than its limit', async () => {
    // two busy loops for a second and a half, half a processor: 0.75 seconds of time in all
    const busy = `python3 - <<'END'
import os, time
child = os.fork()
start = time.monotonic()
while time.monotonic() - start < 1.5: pass
if child == 0: os._exit(0)
os.wait()
used = os.times()
print(used.user + used.system + used.children_user + used.children_system)
END`;
    const seconds = Number(await ssh('web', busy));
    expect(seconds).toBeLessThan(1.05);
    expect(seconds).toBeGreaterThan(0.1);
  });

  test('takes new limits while it runs, and keeps them over a reboot', async () => {
    const machines = hosts.spec.machines.map((machine) => ({ ...machine, memoryBytes: 2 * MEMORY }));
    expect(await applied({ ...hosts.spec, machines })).toEqual(['db limits change', 'web limits change']);
    const eat = `python3 -c "print(len(b'x' * (350 * 1024 * 1024)))"`;
    expect(await ssh('web', eat)).toBe(String(350 * 2 ** 20));
    await hosts.reboot('web');
    expect(await ssh('web', eat)).toBe(String(350 * 2 ** 20));
    expect(await applied(hosts.spec)).toEqual(['db limits change', 'web limits change']);
    await expect(ssh('web', `${eat}; exit $?`)).rejects.toMatchObject({ code: 137 });
  });

  test('is not given less memory than its programs hold', async () => {
    const hold =
      'python3 -c "import time; b = b\'x\' * (150 * 1024 * 1024); print(1, flush=True); time.sleep(600)"';
    await ssh('web', `systemd-run --quiet --unit=hold -p StandardOutput=file:/run/held ${hold}`);
    await ssh('web', 'until [ -s /run/held ]; do sleep 0.05; done');
    const machines = hosts.spec.machines.map((machine) => ({ ...machine, memoryBytes: 100 * 2 ** 20 }));
    await expect(applied({ ...hosts.spec, machines })).rejects.toMatchObject({
      kind: 'host',
      host: 'web',
      message: 'web uses more memory than its new limit of 100 MB.',
    });
    expect(await ssh('web', 'systemctl is-active hold; systemctl stop hold')).toBe('active');
    await applied(hosts.spec);
  });

  test('lets its owner in again after the private key was lost', async () => {
    await ssh('web', 'echo "ssh-ed25519 AAAAsomebody" >> /root/.ssh/authorized_keys');
    await rm(hosts.machine('web').identityFile);
    await rm(`${hosts.machine('web').identityFile}.pub`);
    expect(await applied(hosts.spec)).toEqual([
      '- key create',
      'db sign-in keys change',
      'web sign-in keys change',
    ]);
    const keys = await ssh('web', 'cat /root/.ssh/authorized_keys; stat -c %a /root/.ssh/authorized_keys');
    expect(keys.split('\n')).toHaveLength(3);
    expect(keys).toContain('ssh-ed25519 AAAAsomebody');
    expect(keys.endsWith('\n600')).toBe(true);
  });

  test("is handed the machine's settings, and again when they change", async () => {
    expect(await ssh('web', 'cat /etc/resolv.conf')).toBe(readFileSync('/etc/resolv.conf', 'utf8').trim());
    const env = { ...process.env, https_proxy: 'http://proxy.example:3128' };
    expect(await applied(hosts.spec, env)).toEqual([
      'db settings of this machine change',
      'web settings of this machine change',
    ]);
    expect(await ssh('web', 'env; stat -c %a /etc/environment')).toMatch(
      /https_proxy=http:\/\/proxy\.example:3128[\s\S]*600$/,
    );
    await applied(hosts.spec);
    expect(await ssh('web', 'env')).not.toContain('proxy.example');
  });

  test('does not change this machine: no clock, no swap, no kernel settings', async () => {
    await expect(ssh('web', 'date -s 2020-01-01')).rejects.toMatchObject({ code: 1 });
    await expect(ssh('web', 'sysctl -w vm.swappiness=1')).rejects.toMatchObject({ code: expect.any(Number) });
    expect(await ssh('web', 'sysctl -wn net.ipv4.tcp_fin_timeout=42')).toBe('42');
    expect(readFileSync('/proc/sys/net/ipv4/tcp_fin_timeout', 'utf8').trim()).not.toBe('42');
  });
});
