/** A real Ansible reaches real hosts through the inventory that `prod up` writes, strictly. */
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { quietContext } from '../../src/context.ts';
import { readInventory } from '../../src/inventory/read.ts';
import { sshTargets } from '../../src/inventory/target.ts';
import { writeInventory } from '../../src/inventory/write.ts';
import { writeKnownHosts } from '../../src/ssh/known-hosts.ts';
import { connect } from '../../src/ssh/openssh.ts';
import { hostsUnavailable, withHosts } from '../support/hosts.ts';

const unavailable =
  hostsUnavailable() ??
  (spawnSync('ansible', ['--version']).status === 0
    ? undefined
    : 'no Ansible: apt-get install -y ansible-core');

describe.skipIf(unavailable !== undefined)(
  `Ansible and we, by the same inventory (${unavailable ?? 'real'})`,
  () => {
    test('reach every host, and neither does once its key is another one', async () => {
      await withHosts({ names: ['monitor', 'web-1', 'web-2'] }, async (machines, { spec }) => {
        const knownHostsFile = join(spec.directory, 'known hosts 100%');
        const inventory = join(spec.directory, 'inventory.ini');
        await writeKnownHosts(
          knownHostsFile,
          machines.map(({ address, port, hostKeys }) => ({ address, port, keys: hostKeys })),
        );
        await writeInventory(inventory, {
          hosts: machines.map((machine) => ({ ...machine, knownHostsFile })),
        });

        for (const { name, connection } of await connections(inventory)) {
          expect(await connection.check('hostname', { label: 'test' })).toBe(`${name}\n`);
          await connection.check('command -v python3 || apt-get install -y -q python3-minimal', {
            label: 'python',
          });
          await connection.close();
        }
        expect(await ping('all', inventory)).toEqual({ monitor: 'pong', 'web-1': 'pong', 'web-2': 'pong' });
        expect(await ping('web', inventory)).toEqual({ 'web-1': 'pong', 'web-2': 'pong' });

        const [first, ...others] = machines;
        await writeKnownHosts(
          knownHostsFile,
          [...others, { ...others[0], address: first?.address ?? '' }].map(
            ({ address = '', port = 22, hostKeys = [] }) => ({
              address,
              port,
              keys: hostKeys,
            }),
          ),
        );
        const answers = await ping('all', inventory);
        expect(answers[first?.name ?? '']).toBe('unreachable');
        expect(Object.values(answers).filter((answer) => answer === 'pong')).toHaveLength(2);
        const [changed] = await connections(inventory);
        await expect(changed?.connection.check('true', { label: 'test' })).rejects.toMatchObject({
          reason: 'host-key-changed',
        });
      });
    });
  },
);

async function connections(path: string) {
  const context = quietContext();
  const inventory = await readInventory(path, context);
  const targets = await sshTargets(inventory, [...inventory.hosts.values()], context);
  return targets.map((target) => ({ name: target.name, connection: connect(target, context) }));
}

/** What every host of a pattern answers to `ansible -m ping`. */
async function ping(pattern: string, inventory: string): Promise<Record<string, string>> {
  // Connections of its own for every run: a master of the run before would not ask for the host's key.
  const env = {
    ...process.env,
    ANSIBLE_LOAD_CALLBACK_PLUGINS: '1',
    ANSIBLE_STDOUT_CALLBACK: 'ansible.builtin.oneline',
    ANSIBLE_SSH_ARGS: '',
  };
  const { stdout } = await promisify(execFile)('ansible', [pattern, '-m', 'ping', '-i', inventory], {
    env,
  }).catch((error: { stdout: string }) => error);
  const answers = stdout.split('\n').flatMap((line): [string, string][] => {
    const [, host = '', state = ''] = /^(\S+) \| (SUCCESS|UNREACHABLE!|FAILED!)/.exec(line) ?? [];
    return host === ''
      ? []
      : [
          [
            host,
            state === 'SUCCESS' && line.includes('pong') ? 'pong' : state.toLowerCase().replace('!', ''),
          ],
        ];
  });
  return Object.fromEntries(answers);
}
