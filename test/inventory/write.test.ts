import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { quietContext } from '../../src/context.ts';
import { hostsIn } from '../../src/inventory/model.ts';
import { parseInventory } from '../../src/inventory/parse.ts';
import { declaredTarget, sshTargets } from '../../src/inventory/target.ts';
import { formatInventory, hostLine, type InventoryEntry, writeInventory } from '../../src/inventory/write.ts';

const entry = (changes: Partial<InventoryEntry> = {}): InventoryEntry => ({
  name: 'monitor',
  group: 'monitor',
  address: '10.77.4.11',
  port: 22,
  user: 'root',
  identityFile: '/home/me/project/.pipeline/id',
  knownHostsFile: '/home/me/project/.pipeline/known_hosts.prod',
  ...changes,
});

describe('the inventory of `prod up`', () => {
  test('has a group for each entry of hosts:, and says once what is the same everywhere', () => {
    const web = (n: number) => entry({ name: `web-${n}`, group: 'web', address: `10.77.4.${20 + n}` });
    const text = formatInventory([web(10), web(2), entry()]);
    expect(text.split('\n').slice(1)).toEqual([
      '[monitor]',
      'monitor ansible_host=10.77.4.11',
      '',
      '[web]',
      'web-2 ansible_host=10.77.4.22',
      'web-10 ansible_host=10.77.4.30',
      '',
      '[all:vars]',
      'ansible_user=root',
      'ansible_ssh_private_key_file=/home/me/project/.pipeline/id',
      'ansible_ssh_common_args=-o StrictHostKeyChecking=yes -o ' +
        'UserKnownHostsFile=/home/me/project/.pipeline/known_hosts.prod -o ' +
        'GlobalKnownHostsFile=/dev/null -o IdentitiesOnly=yes',
      'ansible_python_interpreter=/usr/bin/python3',
      '',
    ]);
  });

  test('keeps apart what differs', () => {
    const text = formatInventory([entry(), entry({ name: 'db', group: 'db', user: 'admin', port: 2222 })]);
    expect(text).toContain('db ansible_host=10.77.4.11 ansible_port=2222 ansible_user=admin');
    expect(text).toContain('monitor ansible_host=10.77.4.11 ansible_user=root');
  });

  describe('as a file', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'pipeline-inventory-'));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    test('is written again only where it differs', async () => {
      const path = join(folder, 'inventory.ini');
      expect(await writeInventory(path, { hosts: [entry()] })).toBe(true);
      const { ino } = statSync(path);
      expect(await writeInventory(path, { hosts: [entry()] })).toBe(false);
      expect(statSync(path).ino).toBe(ino);
      expect(await writeInventory(path, { hosts: [] })).toBe(true);
      expect(readFileSync(path, 'utf8')).not.toContain('monitor');
    });

    test('is read back as the way to each host, whatever the names of its files', async () => {
      const knownHostsFile = join(folder, `it's "100%" \\known hosts`);
      const identityFile = join(folder, 'a key # with 50%');
      writeFileSync(identityFile, '');
      const inventory = parseInventory(
        formatInventory([entry({ knownHostsFile, identityFile, port: 2222, user: 'True' })]),
        'inventory.ini',
      );
      const [target] = await sshTargets(inventory, hostsIn(inventory, 'monitor'), quietContext());
      expect(target).toEqual({
        name: 'monitor',
        address: '10.77.4.11',
        port: 2222,
        user: 'True',
        identityFile,
        knownHostsFile,
        options: ['GlobalKnownHostsFile=/dev/null', 'IdentitiesOnly=yes'],
      });
    });
  });
});

test('any host line is read back with its variables', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9.-]{0,10}[a-z]$/);
  const key = fc.stringMatching(/^[a-z_]{1,10}$/);
  const vars = fc.dictionary(
    key,
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.boolean(), fc.constant(null)),
    {
      noNullPrototype: true,
    },
  );
  fc.assert(
    fc.property(name, vars, (host, values) => {
      const { hosts } = parseInventory(hostLine(host, Object.entries(values)), 'inventory.ini');
      expect(hosts.get(host)?.vars).toEqual(values);
    }),
    { numRuns: 300 },
  );
});

test('any inventory of `prod up` is read back as what was written', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/);
  const path = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((text) => !text.includes('\0'))
    .map((text) => `/${text}`);
  const hosts = fc.uniqueArray(
    fc.record({
      name,
      group: name.filter((group) => group !== 'all' && group !== 'ungrouped'),
      address: fc.ipV4(),
      port: fc.integer({ min: 1, max: 65_535 }),
      user: name,
      identityFile: path,
      knownHostsFile: path,
    }),
    { selector: (host) => host.name, maxLength: 5 },
  );
  fc.assert(
    fc.property(hosts, (entries) => {
      const inventory = parseInventory(formatInventory(entries), 'inventory.ini');
      for (const { name: host, group, address, port, user, identityFile, knownHostsFile } of entries) {
        const found = hostsIn(inventory, group).find((one) => one.name === host);
        const { target, mistakes } = declaredTarget(found ?? { name: 'missing', vars: {} });
        const isTemplate = identityFile.includes('{{');
        expect(mistakes.length > 0).toBe(isTemplate);
        expect(target).toMatchObject({ name: host, address, user, ssh: { identityFile, knownHostsFile } });
        expect(target.port ?? 22).toBe(port);
      }
    }),
    { numRuns: 500 },
  );
});
