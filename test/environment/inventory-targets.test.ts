import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { quietContext } from '../../src/context.ts';
import { productionSpec } from '../../src/environment/environment.ts';
import { inventoryTargets } from '../../src/environment/inventory-targets.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-inventory-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/**
 * A machine of one's own, one behind WinRM, one with a password from a vault: as people's inventories have
 * them.
 */
const MIXED = `localhost ansible_connection=local

[web]
192.0.2.11 ansible_user=root

[windows]
win1 ansible_host=192.0.2.40

[windows:vars]
ansible_connection=winrm

[legacy]
old1 ansible_host=192.0.2.50 ansible_become_password='{{ vault_sudo }}'
`;

function configured(hosts: string) {
  writeFileSync(join(folder, 'pipeline.yml'), `project: shop\nhosts:\n${hosts}`);
  return loadConfig(undefined, { cwd: folder });
}

async function read(inventory: string, hosts: string) {
  writeFileSync(join(folder, 'inventory.ini'), inventory);
  const config = await configured(hosts);
  const context = quietContext({ cwd: folder, env: { ...process.env } });
  return inventoryTargets('inventory.ini', config, context);
}

describe('hosts of an inventory', () => {
  test("that pipeline.yml does not use stand in nobody's way, and are named", async () => {
    const { targets, lockKeeper, leftOut } = await read(MIXED, '  web: {}\n');
    expect(targets.map(({ name }) => name)).toEqual(['192.0.2.11']);
    expect(lockKeeper.name).toBe('192.0.2.11');
    expect(leftOut).toEqual([
      {
        name: 'localhost',
        why: 'localhost: ansible_connection=local cannot be used: hosts are reached over SSH',
      },
      { name: 'win1', why: 'win1: ansible_connection=winrm cannot be used: hosts are reached over SSH' },
      {
        name: 'old1',
        why: 'old1: ansible_become_password cannot be used: allow sudo without a password instead',
      },
    ]);
  });

  test('that pipeline.yml uses are judged', async () => {
    await expect(read(MIXED, '  web: {}\n  windows: {}\n')).rejects.toThrow(
      'win1: ansible_connection=winrm cannot be used',
    );
  });

  test('none of which can be used: every reason is shown', async () => {
    const failure = await read('localhost ansible_connection=local', '  web: {}\n').catch((e: unknown) => e);
    expect(failure).toMatchObject({
      message: expect.stringMatching(/names no host that can be used$/),
      output: [expect.stringContaining('localhost')],
    });
  });

  test('stand in groups with underscores, as Ansible wants them', async () => {
    const { groups } = await read('[web_servers]\n192.0.2.11 ansible_user=root\n', '  web_servers: {}\n');
    expect(groups.get('web_servers')?.map(({ name }) => name)).toEqual(['192.0.2.11']);
  });
});

test('a machine that is made for an entry with an underscore has a dash in its name', async () => {
  const config = await configured('  web_servers: { count: 2 }\n');
  expect(productionSpec(config).machines.map(({ name, group }) => [name, group])).toEqual([
    ['web-servers-1', 'web_servers'],
    ['web-servers-2', 'web_servers'],
  ]);
});

test('no two entries make a machine of one name', async () => {
  await expect(configured('  db_1: {}\n  db: { count: 2 }\n')).rejects.toThrow(
    '"db-1" is also the name of a host of',
  );
});
