/** deploy, rollback, releases and prod status as whole commands, against hosts that answer by hand. */
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EXIT_ORDER_FAILED, type ReleaseEvent } from '../../src/contract/release.ts';
import { Failure } from '../../src/errors.ts';
import type { KeptRelease } from '../../src/release/look/facts.ts';
import { preparation } from '../../src/release/send/prepare.ts';
import { programName } from '../../src/release/send/program.ts';
import { kept } from '../release/support.ts';
import { type Answer, World } from './world.ts';

let world: World;
vi.mock('../../src/ssh/openssh.ts', () => ({
  connect: (...args: Parameters<World['connect']>) => world.connect(...args),
}));

const HOSTS = ['web-1', 'web-2'];

beforeEach(() => {
  world = new World();
  world.write(
    'pipeline.yml',
    `project: shop
hosts: { web: { roles: [nginx], count: 2 } }
apps:
  app: { source: ., runtime: static, hosts: [web], watch: 0s }
`,
  );
  const vars = 'ansible_port=22 ansible_user=root';
  const hosts = HOSTS.map((name, i) => `${name} ansible_host=192.0.2.${i + 1} ${vars}\n`).join('');
  world.write('inventory.ini', `[web]\n${hosts}`);
});
afterEach(() => world.remove());

/** A host on which `live` serves in green, and the others of `releases` are kept. */
async function hostWith(releases: readonly KeptRelease[], live: string | undefined): Promise<Answer> {
  const lines = [
    'architecture x86_64',
    `program ${await programName()}`,
    'program-node 20.19.0',
    `prepared ${preparation('node-service')}`,
    'slot app 3',
    ...(live === undefined
      ? []
      : ['green 100', `colour green ${live}`, 'unit pipeline-app@green.service active']),
    ...releases.map(
      ({ state, digest, manifest }) => `release ${state} ${digest} ${JSON.stringify(manifest)}`,
    ),
    'complete',
  ];
  return { lines };
}

const two = { ...kept('20261102-000000-two'), digest: 'd2' };
const one = { ...kept('20261101-000000-one'), digest: 'd1' };

async function everyHostHas(releases: readonly KeptRelease[], live: string | undefined) {
  const answer = await hostWith(releases, live);
  for (const label of ['look at app', 'releases of app']) world.answers[label] = () => answer;
  for (const verb of ['deploy app', 'rollback app', 'write the audit log']) world.answers[verb] = () => ({});
}

const events = (...all: readonly ReleaseEvent[]) => all.map((event) => JSON.stringify(event));

describe('rollback', () => {
  beforeEach(() => everyHostHas([two, one], two.manifest.release));

  test('goes back host by host under the lock, and says how to see it', async () => {
    const { exitCode, stdout, stderr } = await world.run(['rollback', 'app']);
    expect(stdout).toContain(`${one.manifest.release} (2026110) on web-1, web-2.`);
    expect(stdout).toContain(`Before: ${two.manifest.release}. Back: pipeline rollback app`);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const said = world.said();
    expect(said[0]).toBe('web-1: lock');
    expect(said.slice(-4)).toEqual(
      ['web-1', 'web-2', 'web-1', 'web-2'].map((name) => `${name}: rollback app`),
    );
  });

  test('prints one document with --json, and the text on standard error', async () => {
    const { exitCode, stderr, json } = await world.run(['rollback', 'app', '--json']);
    expect(exitCode).toBe(0);
    expect(json).toMatchObject({
      app: 'app',
      release: one.manifest.release,
      previous: two.manifest.release,
      changed: true,
      hosts: [{ host: 'web-1' }, { host: 'web-2' }],
      watch: 0,
    });
    expect(stderr).toContain('Back in ');
  });

  test('to a release that no host has exits 2 and names those that are there', async () => {
    const { exitCode, json } = await world.run(['rollback', 'app', '20200101-000000-zero', '--json']);
    expect(exitCode).toBe(2);
    expect(JSON.stringify(json)).toContain(one.manifest.release);
    expect(world.said()).not.toContain('web-1: rollback app');
  });

  test('where a host fails exits 3 with its last lines, after the others went back', async () => {
    const failed = events(
      { event: 'log', line: 'no database' },
      { event: 'failed', step: 'health', detail: 'not healthy after 30 s' },
    );
    world.answers['web-2: rollback app'] = () => ({ exitCode: EXIT_ORDER_FAILED, lines: failed });
    const { exitCode, stdout } = await world.run(['rollback', 'app']);
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/error: web-2: .* did not become healthy: not healthy after 30 s/);
    expect(stdout).toContain('no database');
    expect(stdout).toContain('exit 3');
  });

  test('while somebody else holds the lock exits 4, names the holder and touches nothing', async () => {
    const holder = {
      by: 'bob',
      command: 'pipeline deploy app',
      at: '2026-11-23T10:00:00Z',
      machine: 'x',
      pid: 1,
    };
    const end = new Failure('host', 'given up');
    world.answers.lock = () => end;
    const script = world.connect;
    Object.assign(world, {
      connect: (...args: Parameters<World['connect']>) => {
        const connection = script(...args);
        const held: typeof connection.script = (text, options) => {
          if (options.label !== 'lock') return connection.script(text, options);
          options.onStdout?.(`held ${JSON.stringify(holder)}`);
          return new Promise((_, reject) => options.signal?.addEventListener('abort', () => reject(end)));
        };
        return { ...connection, script: held };
      },
    });
    const { exitCode, json } = await world.run(['rollback', 'app', '--json']);
    expect(exitCode).toBe(4);
    expect(json).toMatchObject({ error: { kind: 'locked', host: 'web-1', step: 'lock' }, exitCode: 4 });
    expect(JSON.stringify(json)).toContain('bob holds the lock for \\"pipeline deploy app\\"');
    expect(world.said()).toEqual([]);
  });

  test('stopped by Ctrl-C exits 130, and what had changed goes back', async () => {
    world.answers['web-2: rollback app'] = () => {
      world.interrupted.abort();
      return {};
    };
    const { exitCode, json } = await world.run(['rollback', 'app', '--json']);
    expect(exitCode).toBe(130);
    expect(json).toMatchObject({ error: { kind: 'interrupted' }, exitCode: 130 });
    expect(world.said().at(-1)).toBe('web-1: rollback app');
  });
});

describe('deploy', () => {
  beforeEach(async () => {
    await everyHostHas([], undefined);
    world.write('index.html', '<h1>hello</h1>');
    const who = ['-c', 'user.name=T', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false'];
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', world.folder, ...args], { stdio: 'ignore' });
    git('init', '--quiet', '--initial-branch=main');
    git('add', 'index.html');
    git(...who, 'commit', '--quiet', '--message', 'Say hello');
  });

  test('builds the ref, sends it to each host and takes over', async () => {
    const { exitCode, json, stderr } = await world.run(['deploy', 'app', 'main', '--json']);
    expect(json).toMatchObject({ app: 'app', ref: 'main', previous: null, changed: true });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('on web-1, web-2');
    expect(stderr).toContain('It is the first release.');
    const said = world.said();
    for (const host of HOSTS) {
      const sent = said.findIndex((line) => line.startsWith(`${host}: upload `));
      expect(sent).toBeGreaterThan(said.indexOf('web-1: lock'));
      expect(said.indexOf(`${host}: deploy app`)).toBeGreaterThan(sent);
    }
  });

  test.each([
    [
      'an application that is none',
      ['ap'],
      /there is no application "ap" in .*pipeline\.yml/,
      'Did you mean app?',
    ],
    ['a ref that is none', ['app', 'mian'], /mian/, 'main'],
    [
      'a WAR for pages',
      ['app', '--artifact', 'a.war'],
      /--artifact takes a WAR for a Tomcat application/,
      'built from git',
    ],
    ['a seed where there is no database', ['app', '--reseed'], /app has no database with a seed/, 'seed:'],
    ['an inventory that is missing', ['app', '-i', 'none.ini'], /none\.ini/, ''],
  ])('of %s exits 2 and asks no host to change', async (_what, args, message, next) => {
    const { exitCode, stdout } = await world.run(['deploy', ...args]);
    expect(stdout).toMatch(message);
    expect(stdout).toContain(next);
    expect(exitCode).toBe(2);
    expect(world.said().filter((line) => line.endsWith('deploy app'))).toEqual([]);
  });

  test('to an inventory without the group exits 2 and says what is missing', async () => {
    world.write('inventory.ini', '[webb]\nx ansible_host=192.0.2.9 ansible_port=22 ansible_user=root\n');
    const { exitCode, stdout } = await world.run(['deploy', 'app']);
    expect(exitCode).toBe(2);
    expect(stdout).toContain('has no host in the group [web]');
    expect(stdout).toContain('Did you mean [webb]?');
  });

  test('to a host that cannot be reached exits 3 with the connection’s own words', async () => {
    world.answers['web-2: look at app'] = () =>
      new Failure('host', '192.0.2.2 port 22 does not answer', { host: 'web-2', next: 'See prod status.' });
    const { exitCode, json } = await world.run(['deploy', 'app', '--json']);
    expect(exitCode).toBe(3);
    expect(json).toEqual({
      error: {
        kind: 'host',
        message: '192.0.2.2 port 22 does not answer',
        host: 'web-2',
        step: null,
        next: 'See prod status.',
        output: [],
      },
      exitCode: 3,
    });
  });
});

describe('releases', () => {
  test('lists what hosts have, the newest first, and which one is live', async () => {
    await everyHostHas([two, one], two.manifest.release);
    const { exitCode, stdout } = await world.run(['releases', 'app']);
    expect(exitCode).toBe(0);
    const rows = stdout.split('\n').filter((line) => /2026110/.test(line));
    expect(rows[0]).toMatch(/^live\s+20261102-000000-two/);
    expect(rows[1]).toMatch(/^kept\s+20261101-000000-one/);
  });

  test('has the same as one document', async () => {
    await everyHostHas([two, one], two.manifest.release);
    const { json } = await world.run(['releases', 'app', '--json']);
    expect(json).toMatchObject({
      app: 'app',
      releases: [
        { release: two.manifest.release, live: true, liveOn: HOSTS, result: 'live' },
        { release: one.manifest.release, live: false, liveOn: [], kept: true },
      ],
    });
  });

  test('names the hosts where they differ', async () => {
    await everyHostHas([two, one], two.manifest.release);
    const other = await hostWith([two, one], one.manifest.release);
    world.answers['web-2: releases of app'] = () => other;
    const { stdout } = await world.run(['releases', 'app']);
    expect(stdout).toMatch(/live on web-1\s+20261102-000000-two/);
    expect(stdout).toMatch(/live on web-2\s+20261101-000000-one/);
  });

  test('of an application that was never deployed say how to', async () => {
    await everyHostHas([], undefined);
    const { exitCode, stdout } = await world.run(['releases', 'app']);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: 'app was never deployed. Do it: pipeline deploy app\n',
    });
  });

  test('of a host whose answer was cut off exit 3', async () => {
    world.answers['releases of app'] = () => ({ lines: ['architecture x86_64'] });
    const { exitCode, stdout } = await world.run(['releases', 'app']);
    expect(exitCode).toBe(3);
    expect(stdout).toContain('what the host says of app is incomplete');
  });
});

describe('prod status -i', () => {
  const status = (healthy: boolean): Answer => ({
    lines: [`app ${JSON.stringify(two.manifest)}`, `process ${healthy ? '0 200' : '1 answers 503'}`],
  });

  test('shows each application with its health', async () => {
    world.answers['web-1: applications'] = () => status(true);
    world.answers['web-2: applications'] = () => status(false);
    const { exitCode, stdout } = await world.run(['prod', 'status', '-i', 'inventory.ini']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/web-1 .* running .* 20261102-000000-two .* healthy/);
    expect(stdout).toMatch(/web-2 .* running .* 20261102-000000-two .* answers 503/);
  });

  test('goes on where a host does not answer, and says so in the document', async () => {
    world.answers['web-1: applications'] = () => status(true);
    world.answers['web-2: applications'] = () => new Failure('host', 'does not answer');
    const { exitCode, json } = await world.run(['prod', 'status', '-i', 'inventory.ini', '--json']);
    expect(exitCode).toBe(0);
    expect(json).toMatchObject({
      provider: 'inventory',
      hosts: [
        { name: 'web-1', state: 'running', apps: [{ app: 'app', healthy: true }] },
        { name: 'web-2', state: 'unreachable: does not answer', apps: [] },
      ],
      monitor: null,
    });
  });
});
