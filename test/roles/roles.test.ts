import { describe, expect, it } from 'vitest';
import type { Exposure } from '../../src/cloud/provider.ts';
import { plan } from '../../src/host/plan.ts';
import type { Resource } from '../../src/host/resource.ts';
import type { HostFacts } from '../../src/host/state.ts';
import { agentResources } from '../../src/roles/agent.ts';
import { closedTo, firewall, withOpenings } from '../../src/roles/firewall.ts';
import { hubResources } from '../../src/roles/hub.ts';
import { exposuresOf, type RoleParams, rolesFor } from '../../src/roles/index.ts';
import { HOST, NOTHING } from '../host/cases.ts';

const PARAMS: RoleParams = {
  fleet: ['10.0.0.2', '10.0.0.3', 'fd00::3'],
  operators: ['203.0.113.0/24', '2001:db8::/32'],
  sshPorts: [22],
  exposures: [],
  memoryBytes: 2 ** 30,
};
const CONTAINER: Partial<HostFacts> = { container: 'systemd-nspawn' };

const steps = (role: string, host: Partial<HostFacts> = {}, params: Partial<RoleParams> = {}) =>
  plan({ ...NOTHING, host: { ...HOST, ...host } }, rolesFor(role, { ...PARAMS, ...params })).changes.map(
    ({ action, id }) => `${action} ${id}`,
  );

const fileOf = (resources: readonly Resource[], path: string): string => {
  const file = resources.find((resource) => resource.kind === 'file' && resource.path === path);
  if (file?.kind !== 'file') throw new Error(`no file ${path}`);
  return file.content;
};

describe('on an empty host the role', () => {
  it.each<[string, Partial<HostFacts>, readonly string[]]>([
    [
      'nginx',
      {},
      [
        'install package nginx',
        'install package logrotate',
        'create directory /etc/nginx/pipeline/sites',
        'create directory /var/log/nginx/pipeline',
        'create file /etc/logrotate.d/pipeline-nginx',
        'create file /etc/systemd/system/nginx.service.d/pipeline.conf',
        "run command take nginx's welcome page away",
        'create file /etc/nginx/nginx.conf',
        'start service nginx.service',
      ],
    ],
    [
      'redis',
      {},
      [
        'install package redis-server',
        'create file /etc/redis/redis.conf',
        'start service redis-server.service',
      ],
    ],
    [
      'mariadb',
      {},
      [
        'install package mariadb-server',
        'create file /etc/mysql/mariadb.conf.d/90-pipeline.cnf',
        'start service mariadb.service',
      ],
    ],
    [
      'tomcat',
      {},
      [
        'install package unzip',
        'install package tomcat10',
        'install package tomcat-jakartaee-migration',
        'disable service tomcat10.service',
      ],
    ],
    [
      'tomcat',
      { os: 'ubuntu', version: '22.04' },
      ['install package unzip', 'install package tomcat9', 'disable service tomcat9.service'],
    ],
    [
      'mongodb',
      {},
      [
        'run command check the processor',
        "run command fetch MongoDB's key",
        'create file /etc/apt/sources.list.d/pipeline-mongodb.list',
        "run command reach MongoDB's repository",
        'install package mongodb-org',
        'create file /etc/mongod.conf',
        'start service mongod.service',
      ],
    ],
    [
      'mongodb',
      { codename: 'trixie', version: '13' },
      [
        'run command check the processor',
        'run command choose a repository',
        "run command fetch MongoDB's key",
        "run command reach MongoDB's repository",
        'install package mongodb-org',
        'create file /etc/mongod.conf',
        'start service mongod.service',
      ],
    ],
    [
      'ferretdb',
      {},
      [
        'install package sqlite3',
        'create user ferretdb',
        'create directory /opt/pipeline/ferretdb/programs',
        'create directory /var/lib/ferretdb',
        'create directory /etc/pipeline/databases',
        'create file /etc/systemd/system/ferretdb@.service',
      ],
    ],
    ['monitor', {}, []],
  ])('%s on %j needs', (role, host, expected) => {
    expect(steps(role, host)).toEqual(expected);
  });
});

it('nginx listens on the families that the kernel has', () => {
  const params = { fleet: [], operators: [], sshPorts: [22], exposures: [] };
  const written = (noIpv6: boolean) =>
    rolesFor('nginx', params).flatMap((one) =>
      one.kind === 'file' && one.path === '/etc/nginx/nginx.conf' && one.when?.({ ...HOST, noIpv6 }) !== false
        ? [one.content]
        : [],
    );
  expect(written(false)).toEqual([expect.stringContaining('listen [::]:80;')]);
  expect(written(true)).toEqual([expect.not.stringContaining('[::]')]);
  expect(written(true)[0]).toContain('listen 80;');
  // As long as the names that test/proxy tries.
  expect(written(true)[0]).toContain('server_names_hash_bucket_size 512;');
});

describe('the base of a host', () => {
  it('closes the host before anything else is installed', () => {
    const all = steps('base');
    expect(all.slice(0, 2)).toEqual(['install package nftables', 'load firewall inet pipeline']);
    expect(all.filter((step) => step.startsWith('install'))).toEqual([
      'install package nftables',
      'install package ca-certificates',
      'install package logrotate',
      'install package unattended-upgrades',
      'install package systemd-timesyncd',
    ]);
  });

  const clockOf = (host: Partial<HostFacts>) =>
    steps('base', host).filter((step) => /timesyncd|chrony/.test(step));

  it('keeps the clock, with the daemon that is there', () => {
    expect(clockOf({ clock: '' })).toEqual([
      'install package systemd-timesyncd',
      'start service systemd-timesyncd.service',
    ]);
    expect(clockOf({ clock: 'chrony' })).toEqual(['start service chrony.service']);
    expect(clockOf({ clock: 'ntp' })).toEqual([]);
  });

  it('leaves clock and swap to the machine in a container', () => {
    const touched = steps('base', CONTAINER).filter((step) => /timesyncd|chrony|swap/.test(step));
    expect(touched).toEqual([]);
  });

  it('gives swap to small hosts', () => {
    const swap = (memoryBytes: number) =>
      steps('base', { memoryBytes }).filter((step) => step.includes('swap'));
    expect(swap(2 ** 30)).toEqual([
      'run command make a swap file of 1 GiB',
      'create file /etc/systemd/system/var-swapfile.swap',
      'start service var-swapfile.swap',
    ]);
    expect(swap(4 * 2 ** 30)).toEqual([]);
  });
});

describe('mariadb', () => {
  const role = (clients: readonly string[]) => rolesFor('mariadb', { ...PARAMS, databases: { clients } });
  const configuration = (clients: readonly string[]) =>
    fileOf(role(clients), '/etc/mysql/mariadb.conf.d/90-pipeline.cnf');

  it('answers on the loopback address alone', () => {
    expect(configuration([])).toContain('bind-address = 127.0.0.1\n');
    expect(role([]).some(({ kind }) => kind === 'firewall')).toBe(false);
  });

  it('lets in the hosts whose applications need it, and no other of the fleet', () => {
    const clients = ['10.0.0.3', '10.0.0.2', 'fd00::3'];
    expect(configuration(clients)).toContain('bind-address = *\n');
    const firewall = role(clients).find(({ kind }) => kind === 'firewall');
    const rules = firewall?.kind === 'firewall' ? firewall.rules : '';
    expect(rules).toContain('    ip saddr != { 10.0.0.2, 10.0.0.3 } tcp dport 3306 drop\n');
    expect(rules).toContain('    ip6 saddr != { fd00::3 } tcp dport 3306 drop\n');
  });
});

describe('the firewall', () => {
  const rules = (params: Partial<RoleParams>): readonly string[] => {
    const firewall = rolesFor('base', { ...PARAMS, ...params }).find(({ kind }) => kind === 'firewall');
    return firewall?.kind === 'firewall' ? firewall.rules.split('\n').map((line) => line.trim()) : [];
  };
  const openings = (params: Partial<RoleParams>) => rules(params).filter((line) => / dport \{/.test(line));

  it('lets operators alone reach SSH, and drops the rest', () => {
    expect(openings({})).toEqual([
      'ip saddr @operators4 tcp dport { 22 } accept',
      'ip6 saddr @operators6 tcp dport { 22 } accept',
    ]);
    expect(rules({})).toContain('policy drop');
    expect(rules({})).toContain('elements = { 203.0.113.0/24 }');
    expect(rules({})).toContain('elements = { 2001:db8::/32 }');
  });

  it('opens a port for whom it is meant for', () => {
    expect(
      openings({
        sshPorts: [22, 2222],
        exposures: [
          { port: 443, protocol: 'tcp', from: 'anyone' },
          { port: 80, protocol: 'tcp', from: 'anyone' },
          { port: 80, protocol: 'tcp', from: 'anyone' },
          { port: 6379, protocol: 'tcp', from: 'fleet' },
          { port: 443, protocol: 'udp', from: 'anyone' },
        ],
      }),
    ).toEqual([
      'ip saddr @operators4 tcp dport { 22, 2222 } accept',
      'ip6 saddr @operators6 tcp dport { 22, 2222 } accept',
      'ip saddr @fleet4 tcp dport { 6379 } accept',
      'ip6 saddr @fleet6 tcp dport { 6379 } accept',
      'tcp dport { 80, 443 } accept',
      'udp dport { 443 } accept',
    ]);
  });

  const SITE: Exposure = { port: 8443, protocol: 'tcp', from: 'anyone' };
  const BEHIND: Exposure = { port: 8080, protocol: 'tcp', from: 'fleet' };
  const whole = (exposures: readonly Exposure[]) => firewall({ ...PARAMS, exposures }).rules;

  it.each([
    [[], [SITE]],
    [[], [BEHIND, SITE]],
    [[{ ...SITE, port: 9000 }], [SITE]],
    [
      [
        { ...SITE, port: 80 },
        { ...BEHIND, port: 6379 },
      ],
      [SITE, BEHIND],
    ],
    [[{ ...SITE, protocol: 'udp' }], [BEHIND]],
    // So far the balancer alone reached it.
    [[{ ...SITE, from: 'fleet' }], [SITE]],
  ] as const)('with more let in later is as if it had been from the start: %j and %j', (before, more) => {
    const rules = whole(before);
    expect(closedTo(rules, [...more, ...before])).toEqual(more);
    const opened = withOpenings(rules, more);
    expect(opened).toBe(whole([...before, ...more]));
    expect(closedTo(opened, more)).toEqual([]);
  });

  it('that is open to anyone is open to a balancer', () => {
    expect(closedTo(whole([SITE]), [{ ...SITE, from: 'fleet' }])).toEqual([]);
  });

  it('lets nobody in where a family has no addresses', () => {
    const lines = rules({ operators: ['203.0.113.0/24'] });
    const start = lines.indexOf('set operators6 {');
    expect(lines.slice(start, lines.indexOf('}', start))).not.toContainEqual(
      expect.stringContaining('elements'),
    );
  });
});

it('hub and agent trust the authorities that their host does (uptime-kuma#602)', () => {
  const common = { node: '/opt/node', program: '/opt/program.js', config: '{}' };
  const agent = agentResources({ ...common, mariadb: false });
  const hub = hubResources({ ...common, hubPassword: 'x', agents: [], fleet: [], maxMemory: 1 });
  for (const [resources, name] of [
    [agent, 'agent'],
    [hub, 'hub'],
  ] as const) {
    expect(fileOf(resources, `/etc/systemd/system/pipeline-${name}.service`)).toContain(
      '\nEnvironment=NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt\n',
    );
  }
});

describe('memory', () => {
  it('bounds Redis and MariaDB', () => {
    expect(fileOf(rolesFor('redis', PARAMS), '/etc/redis/redis.conf')).toContain('maxmemory 256mb');
    expect(fileOf(rolesFor('mariadb', PARAMS), '/etc/mysql/mariadb.conf.d/90-pipeline.cnf')).toContain(
      'innodb_buffer_pool_size = 256M',
    );
  });
});

it('the roles together contradict each other nowhere', () => {
  const all = ['base', 'nginx', 'redis', 'mariadb', 'tomcat', 'monitor'].flatMap((role) =>
    rolesFor(role, PARAMS),
  );
  const ids = plan(NOTHING, all).changes.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.indexOf('firewall inet pipeline')).toBeLessThan(ids.indexOf('package nginx'));
});

it('a role that does not exist is a mistake with a suggestion', () => {
  expect(() => rolesFor('ngnix', PARAMS)).toThrow('there is no role "ngnix"');
  expect(exposuresOf('nginx').map(({ port }) => port)).toEqual([80, 443]);
});
