import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';
import { quietContext } from '../../src/context.ts';
import { existingSpec, productionSpec } from '../../src/environment/environment.ts';
import { existingHosts } from '../../src/environment/existing.ts';
import { desiredState, resourcesOf } from '../../src/environment/fleet.ts';

const config = {
  ...configSchema.parse({
    project: 'shop',
    operators: ['203.0.113.0/24'],
    hosts: { web: { roles: ['nginx'], count: 2 }, db: { roles: ['redis'] }, spare: {} },
    apps: {
      shop: {
        source: '.',
        hosts: ['web'],
        databases: { main: { engine: 'mariadb', host: 'db', name: 'shop' } },
      },
    },
  }),
  path: '/shop/pipeline.yml',
  directory: '/shop',
};

describe('a host that people have', () => {
  it('gets what the entry of its group gets, whatever its name', () => {
    const [web] = productionSpec(config).machines;
    const spec = existingSpec(config, ['web'], 512 * 2 ** 20);
    expect(spec).toMatchObject({ roles: web?.roles, exposures: web?.exposures });
    expect(spec.memoryBytes).toBe(512 * 2 ** 20);
  });

  it('in two groups gets what both ask for, each once', () => {
    const spec = existingSpec(config, ['web', 'db'], 2 ** 30);
    expect(spec.roles).toEqual(['nginx', 'node-service', 'redis', 'mariadb']);
    expect(spec.exposures.map(({ port, from }) => `${port} ${from}`)).toEqual([
      '22 operators',
      '80 anyone',
      '443 anyone',
      '3306 fleet',
    ]);
    expect(spec.databases?.clients).toEqual(['web']);
  });

  it('keeps the ports of its SSH open, and lets in the hosts of the groups that need it', () => {
    const fleet = [
      { groups: ['web'], addresses: ['192.0.2.1'] },
      { groups: ['web', 'spare'], addresses: ['192.0.2.2', '10.0.0.2'] },
      { groups: ['db'], addresses: ['192.0.2.3'] },
    ];
    const spec = existingSpec(config, ['db'], 2 ** 30);
    const resources = resourcesOf(spec, { fleet, operators: config.operators, sshPorts: [2222] });
    const rules = resources.flatMap((one) => (one.kind === 'firewall' ? [one.rules] : []));
    expect(rules[0]).toContain('ip saddr @operators4 tcp dport { 2222 } accept');
    expect(rules[0]).not.toMatch(/dport { 22[ ,]/);
    expect(rules[1]).toContain('192.0.2.1');
    expect(rules[1]).toContain('10.0.0.2');
    expect(rules[1]).not.toContain('192.0.2.3');
  });

  it('is what a machine of pipeline is, where everything else is equal', () => {
    const spec = productionSpec(config);
    const machines = spec.machines.map(({ name, group }, index) => ({
      ...{ name, group, address: `192.0.2.${index + 1}`, privateAddress: `10.0.0.${index + 1}` },
      ...({
        state: 'running',
        user: 'root',
        port: 22,
        identityFile: '/k',
        hostKeys: [],
        monthlyCost: 0,
      } as const),
    }));
    const fleet = machines.map(({ group, address, privateAddress }) => ({
      groups: [group],
      addresses: [address, privateAddress],
    }));
    for (const machine of spec.machines) {
      const existing = existingSpec(config, [machine.group], machine.memoryBytes);
      const around = { fleet, operators: config.operators, sshPorts: [22] };
      expect(JSON.stringify(resourcesOf(existing, around))).toBe(
        JSON.stringify(desiredState(machine, machines, spec)),
      );
    }
  });
});

describe('the hosts of an inventory', () => {
  function read(inventory: string) {
    const folder = mkdtempSync(join(tmpdir(), 'pipeline-existing-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'own.ini'), inventory);
    return existingHosts('own.ini', config, quietContext({ cwd: folder, env: { ...process.env } }));
  }

  it('are those in groups that pipeline.yml names; groups without a host are named', async () => {
    const { groups, missing } = await read(
      '[web]\none ansible_host=192.0.2.1 ansible_user=root\n[db]\none\n[printers]\nlaser ' +
        'ansible_host=192.0.2.9\n',
    );
    expect([...groups].map(([{ name }, own]) => [name, own])).toEqual([['one', ['web', 'db']]]);
    expect(missing).toEqual(['spare']);
  });

  it('must be there', async () => {
    await expect(read('[printers]\nlaser ansible_host=192.0.2.9 ansible_user=root\n')).rejects.toMatchObject({
      kind: 'usage',
      next: 'Put hosts into groups of these names: web, db, spare.',
    });
  });
});

it('looks at a host with bash that runs anywhere', async () => {
  const { default: program } = await import('../../src/environment/look-at-host.sh');
  const printed = execFileSync('bash', ['-c', program], { encoding: 'utf8' });
  for (const line of printed.split('\n').filter(Boolean))
    expect(line).toMatch(/^(port \d+|address [0-9a-f.:]+)$/);
});
