import { describe, expect, test } from 'vitest';
import {
  type FoundBase,
  type FoundHost,
  type FoundHosts,
  type FoundLayer,
  planLocal,
} from '../../../src/cloud/local/plan.ts';
import type { HostRecord } from '../../../src/cloud/local/records.ts';
import type { CloudChange, EnvironmentSpec } from '../../../src/cloud/provider.ts';
import { machineSpec, testSpec } from './specs.ts';

const KEY = 'ssh-ed25519 AAAAoperator pipeline prod';

const record = (name: string, number: number, differs: Partial<HostRecord> = {}): HostRecord => ({
  name,
  group: name,
  address: `10.77.1.${number}`,
  base: '/cache/base/now',
  hostKey: `ssh-ed25519 AAAA${name}`,
  memoryBytes: 512 * 2 ** 20,
  cpus: 2,
  authorizedKeys: [KEY],
  settings: 'now',
  ...differs,
});
const running = (name: string, number: number, differs: Partial<FoundHost> = {}): FoundHost => ({
  name,
  record: record(name, number),
  alive: true,
  answers: true,
  missing: [],
  ...differs,
});
const base = (differs: Partial<FoundBase> = {}): FoundBase => ({
  image: undefined,
  codename: 'bookworm',
  directory: '/cache/base/now',
  ready: true,
  ...differs,
});
const trixie = base({
  image: 'debian-13-x64',
  codename: 'trixie',
  directory: '/cache/base/13',
  ready: false,
});
const layer = (name: string, differs: Partial<FoundLayer> = {}): FoundLayer => ({
  directory: `/cache/layer/${name}`,
  base: '/cache/base/now',
  packages: [name],
  programs: [],
  ready: false,
  ...differs,
});
const everything: FoundHosts = {
  missingPackages: [],
  bases: [base()],
  layers: new Map(),
  networkReady: true,
  subnet: '10.77.1.0/24',
  operatorKey: KEY,
  identityFile: '/project/.pipeline/keys/prod',
  settings: 'now',
  hosts: [],
  warnings: [],
};
const two = [running('db', 11), running('web', 12)];

interface Case {
  readonly title: string;
  readonly found?: Partial<FoundHosts>;
  readonly spec?: Partial<EnvironmentSpec>;
  /** `host step action: detail`, `-` for what is shared. */
  readonly changes: readonly string[];
  readonly warnings?: readonly string[];
}

const cases: Case[] = [
  { title: 'all is as it should be', found: { hosts: two }, changes: [] },
  {
    title: 'an empty machine',
    found: {
      missingPackages: ['mmdebstrap'],
      bases: [base({ ready: false })],
      networkReady: false,
      operatorKey: undefined,
    },
    changes: [
      '- packages of this machine create: mmdebstrap',
      '- key create: /project/.pipeline/keys/prod',
      '- base image debian-12 create: about 30 seconds and 250 MB, once for this machine',
      '- network create: 10.77.1.0/24',
      'db host create: 10.77.1.11, 512 MB, 2 CPUs',
      'web host create: 10.77.1.12, 512 MB, 2 CPUs',
    ],
  },
  {
    title: 'one host is missing: it gets the lowest free address',
    found: { hosts: [running('web', 12)] },
    changes: ['db host create: 10.77.1.11, 512 MB, 2 CPUs'],
  },
  {
    title: 'the machine was rebooted: disks are kept, nothing runs',
    found: { networkReady: false, hosts: two.map((host) => ({ ...host, alive: false, answers: false })) },
    changes: [
      '- network restart: 10.77.1.0/24',
      'db host restart: 10.77.1.11, it does not run',
      'web host restart: 10.77.1.12, it does not run',
    ],
  },
  {
    title: 'a killed command left a half-made host',
    found: { hosts: [running('db', 11), { ...running('web', 12), record: undefined, alive: false }] },
    changes: ['web host create: 10.77.1.12, 512 MB, 2 CPUs; a half-made one is replaced'],
  },
  {
    title: 'a host left the configuration',
    found: { hosts: [...two, running('old', 13)] },
    changes: ['old host remove: 10.77.1.13'],
  },
  {
    title: 'a removed host that is half-made',
    found: { hosts: [...two, { ...running('old', 13), record: undefined }] },
    changes: ['old host remove: half-made'],
  },
  {
    title: 'memory and processors changed',
    found: { hosts: two },
    spec: { machines: [machineSpec('db'), { ...machineSpec('web'), memoryBytes: 2 ** 30, cpus: 1 }] },
    changes: ['web limits change: 512 MB, 2 CPUs → 1024 MB, 1 CPU'],
  },
  {
    title: 'the private key was lost',
    found: { hosts: two, operatorKey: undefined },
    changes: [
      '- key create: /project/.pipeline/keys/prod',
      'db sign-in keys change: ',
      'web sign-in keys change: ',
    ],
  },
  {
    title: 'another person may sign in',
    found: { hosts: two },
    spec: { authorizedKeys: ['ssh-ed25519 AAAAcolleague'] },
    changes: ['db sign-in keys change: ', 'web sign-in keys change: '],
  },
  {
    title: 'the machine moved to another network with other name servers',
    found: { hosts: two, settings: 'later' },
    changes: ['db', 'web'].map(
      (name) => `${name} settings of this machine change: name servers, proxies, apt or npm settings differ`,
    ),
  },
  {
    title: 'the recipe of the base image changed: hosts that exist stay on theirs',
    found: { hosts: two, bases: [base({ directory: '/cache/base/new', ready: false })] },
    changes: [],
  },
  {
    title: 'the cache was emptied: the same image can be made again',
    found: {
      hosts: two.map((host) => ({ ...host, alive: false, missing: ['/cache/base/now'] })),
      bases: [base({ ready: false })],
    },
    changes: [
      '- base image debian-12 create: about 30 seconds and 250 MB, once for this machine',
      'db host restart: 10.77.1.11, it does not run',
      'web host restart: 10.77.1.12, it does not run',
    ],
  },
  {
    title: 'the cache was emptied and the recipe has changed: the disk is lost, which is said and not mended',
    found: {
      bases: [base({ directory: '/cache/base/new' })],
      hosts: [running('db', 11), running('web', 12, { alive: false, missing: ['/cache/base/now'] })],
    },
    changes: [],
    warnings: ['web cannot be started: the image that its disk lies on (/cache/base/now) was removed.'],
  },
  {
    title: 'hosts of another release, beside hosts of this machine’s own',
    found: { hosts: [running('db', 11)], bases: [base(), trixie] },
    spec: { machines: [machineSpec('db'), machineSpec('web', { image: 'debian-13-x64' })] },
    changes: [
      '- base image debian-13 create: about 30 seconds and 250 MB, once for this machine',
      'web host create: 10.77.1.12, 512 MB, 2 CPUs',
    ],
  },
  {
    title: 'another image for a host that is there: it stays, which is said',
    found: {
      hosts: [running('db', 11), running('web', 12, { record: record('web', 12, { release: 'bookworm' }) })],
      bases: [trixie],
    },
    spec: { machines: ['db', 'web'].map((name) => machineSpec(name, { image: 'debian-13-x64' })) },
    changes: [],
    warnings: [
      'web has image debian-12, pipeline.yml says debian-13-x64: left as it is, since another ' +
        'image would need a new host. Change pipeline.yml back, or destroy the host and run up.',
    ],
  },
  { title: 'no machines at all', spec: { machines: [] }, found: { networkReady: false }, changes: [] },
];

describe('what apply will do', () => {
  test.each(cases)('$title', ({ found, spec, changes, warnings = [] }) => {
    const machines = [machineSpec('db'), machineSpec('web')];
    const { plan } = planLocal({ ...everything, ...found }, testSpec({ machines, ...spec }));
    expect(plan.changes.map(asLine)).toEqual(changes);
    expect(plan.warnings).toEqual(warnings);
  });

  describe('layers between the base image and a disk', () => {
    const nginx = layer('nginx');
    const node = layer('node', { ready: true });
    const wanted = new Map([
      ['db', [node]],
      ['web', [node, nginx]],
    ]);
    const machines = [machineSpec('db'), machineSpec('web')];
    const planned = (found: Partial<FoundHosts>) =>
      planLocal({ ...everything, layers: wanted, ...found }, testSpec({ machines }));
    const onLayers = (differs: Partial<FoundHost>) =>
      running('web', 12, {
        record: record('web', 12, { layers: [node.directory, nginx.directory] }),
        ...differs,
      });
    const stopped = { alive: false, answers: false };

    test('that new hosts want are made, each once and where it is not there', () => {
      const both = new Map(machines.map(({ name }) => [name, [node, nginx]]));
      expect(planned({ layers: both }).work.layers).toEqual([nginx]);
      expect(planned({ hosts: [running('web', 12)] }).work.layers).toEqual([]);
      expect(planned({ hosts: two }).work.layers).toEqual([]);
    });

    test('that were removed are made again for a host that lies on them', () => {
      const hosts = [running('db', 11), onLayers({ ...stopped, missing: [nginx.directory] })];
      const { plan, work } = planned({ hosts });
      expect(work.layers).toEqual([nginx]);
      expect(plan.warnings).toEqual([]);
    });

    test('that were removed and are made otherwise today lose the disk', () => {
      const layers = new Map([['web', [layer('nginx, newer')]]]);
      const hosts = [running('db', 11), onLayers({ ...stopped, missing: [nginx.directory] })];
      const { plan, work } = planned({ hosts, layers });
      expect(work.layers).toEqual([]);
      expect(plan.warnings).toEqual([
        'web cannot be started: the image that its disk lies on (/cache/layer/nginx) was removed.',
      ]);
    });
  });

  test('machines that stay are listed with their state', () => {
    const hosts = [
      running('db', 11, { answers: false }),
      running('web', 12, { alive: false, answers: false }),
      running('old', 13),
    ];
    const { plan } = planLocal(
      { ...everything, hosts },
      testSpec({ machines: [machineSpec('db'), machineSpec('web')] }),
    );
    expect(plan.machines.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'db starting',
      'web stopped',
    ]);
    expect(plan.machines[0]).toEqual({
      name: 'db',
      group: 'db',
      address: '10.77.1.11',
      privateAddress: '10.77.1.11',
      state: 'starting',
      user: 'root',
      port: 22,
      identityFile: '/project/.pipeline/keys/prod',
      hostKeys: ['ssh-ed25519 AAAAdb'],
      monthlyCost: 0,
    });
  });
});

function asLine({ host, step, action, detail }: CloudChange): string {
  return `${host ?? '-'} ${step} ${action}: ${detail.join('; ')}`;
}
