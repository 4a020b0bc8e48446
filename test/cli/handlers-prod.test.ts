/** prod plan, up, status, ssh and destroy as whole commands, at a provider whose machines are a list. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Failure } from '../../src/errors.ts';
import type { Change } from '../../src/host/change.ts';
import { machine, World } from './world.ts';

let world: World;
/** What a host that runs lacks. */
let lacking: readonly Change[];
vi.mock('../../src/ssh/openssh.ts', () => ({
  connect: (...args: Parameters<World['connect']>) => world.connect(...args),
}));
vi.mock('../../src/environment/provider.ts', async (original) => ({
  ...(await original<object>()),
  openProvider: async () => world.provider,
}));
vi.mock('../../src/release/index.ts', async (original) => ({
  ...(await original<object>()),
  convergeHost: async () => ({ changes: lacking, seconds: 1 }),
}));

const MISSING: Change = {
  id: 'package nginx',
  action: 'install',
  diff: [],
  because: [],
  doing: 'installing nginx',
};

beforeEach(() => {
  world = new World();
  lacking = [];
  world.answers['write the audit log'] = () => ({});
  world.write(
    'pipeline.yml',
    'project: shop\nprovider: local\nhosts: { web: { roles: [nginx] } }\napps: {}\n',
  );
});
afterEach(() => world.remove());

describe('prod plan', () => {
  test('shows what up would do and touches nothing', async () => {
    world.provider.next = [machine('web')];
    const { exitCode, json, stderr } = await world.run(['prod', 'plan', '--json']);
    expect(exitCode).toBe(0);
    expect(json).toMatchObject({ provider: 'local', warnings: [], cost: null });
    const { changes, changed } = json as { changes: { host: string; step: string }[]; changed: number };
    expect(changes[0]).toEqual({ host: 'web', step: 'host', action: 'create' });
    expect(changes.map(({ step }) => step)).toContain('package nginx');
    expect(changed).toBe(changes.length);
    expect(stderr).toContain('Nothing was touched. Run: pipeline prod up');
    expect(world.provider.calls).toEqual(['plan']);
    expect(world.asked).toEqual([]);
  });

  test('of hosts that are as they should be says so', async () => {
    world.provider.existing = [machine('web')];
    const { exitCode, stdout } = await world.run(['prod', 'plan']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('web       same');
    expect(stdout).toContain('Nothing to change on 1 host.');
  });
});

describe('prod up', () => {
  test('makes hosts, configures them under the lock and writes the inventory', async () => {
    world.provider.next = [machine('web')];
    lacking = [MISSING];
    const { exitCode, json, stderr } = await world.run(['prod', 'up', '--json']);
    expect(exitCode).toBe(0);
    expect(json).toMatchObject({
      changed: 2,
      changes: [
        { host: 'web', step: 'host', action: 'create' },
        { host: 'web', step: 'package nginx', action: 'install' },
      ],
      hosts: [{ name: 'web', address: '192.0.2.1', roles: ['nginx'] }],
    });
    expect(stderr).toContain('inventory.ini written');
    expect(world.said()).toEqual(['web: lock', 'web: write the audit log']);
    expect(readFileSync(join(world.folder, 'inventory.ini'), 'utf8')).toContain('192.0.2.1');
  });

  test('again changes nothing and takes no lock on hosts', async () => {
    world.provider.existing = [machine('web')];
    const { exitCode, stdout } = await world.run(['prod', 'up']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Nothing to change on 1 host');
    expect(world.provider.calls).toEqual(['plan']);
    expect(world.asked).toEqual([]);
  });

  test('where the cloud fails exits 3 with what to do, and writes no inventory', async () => {
    world.provider.next = [machine('web')];
    world.provider.failure = new Failure('cloud', 'no droplets are left', { next: 'Ask for more.' });
    const { exitCode, stdout } = await world.run(['prod', 'up']);
    expect(exitCode).toBe(3);
    expect(stdout).toContain('error: no droplets are left');
    expect(stdout).toContain('Ask for more.');
    expect(existsSync(join(world.folder, 'inventory.ini'))).toBe(false);
  });

  test('that hits a fault of ours exits 1 and asks to report it', async () => {
    world.provider.next = [machine('web')];
    world.provider.failure = new RangeError('index 7');
    const { exitCode, json } = await world.run(['prod', 'up', '--json']);
    expect(exitCode).toBe(1);
    expect(json).toMatchObject({ error: { kind: 'internal', message: 'index 7' }, exitCode: 1 });
  });

  test('stopped by Ctrl-C exits 130 and says how to go on', async () => {
    world.provider.next = [machine('web')];
    vi.spyOn(world.provider, 'apply').mockImplementation(async () => {
      world.interrupted.abort();
      throw new Error('whatever the abort made fail');
    });
    const { exitCode, stdout } = await world.run(['prod', 'up']);
    expect(exitCode).toBe(130);
    expect(stdout).toContain('error: stopped; nothing was under way');
    expect(stdout).toContain('Run the same command again: it goes on from there.');
    expect(stdout).not.toContain('whatever');
  });

  test('beside another one in the same folder exits 4 at once', async () => {
    world.provider.next = [machine('web')];
    let second: Awaited<ReturnType<World['run']>> | undefined;
    vi.spyOn(world.provider, 'apply').mockImplementation(async () => {
      second ??= await world.run(['prod', 'up', '--json']);
      return [machine('web')];
    });
    expect((await world.run(['prod', 'up'])).exitCode).toBe(0);
    expect(second).toMatchObject({ exitCode: 4, json: { error: { kind: 'locked' } } });
  });
});

describe('prod status', () => {
  test('without hosts says how to make some', async () => {
    const { exitCode, stdout } = await world.run(['prod', 'status']);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: 'There are no hosts. Make them: pipeline prod up\n',
    });
  });

  test('names what hosts cost, and asks none that does not run', async () => {
    world.provider.existing = [machine('web', { state: 'stopped', monthlyCost: 12 })];
    const { json, stderr } = await world.run(['prod', 'status', '--json']);
    expect(json).toMatchObject({
      provider: 'local',
      hosts: [{ name: 'web', state: 'stopped', apps: [], monthlyCost: 12, lastSeenSeconds: null }],
      monthlyCost: 12,
    });
    expect(stderr).toContain('Cost: 12.00 US dollars a month.');
    expect(world.asked).toEqual([]);
  });
});

describe('prod ssh', () => {
  /** An ssh that says how it was called. */
  const FAKE = '#!/bin/sh\nprintf "%s\\n" "$@"\necho oops >&2\nexit 7\n';
  const fakeSsh = async () => {
    const { chmodSync, mkdirSync } = await import('node:fs');
    mkdirSync(join(world.folder, 'bin'));
    chmodSync(world.write('bin/ssh', FAKE), 0o755);
    return { PATH: `${world.folder}/bin:${process.env.PATH}` };
  };

  test('runs one command; its exit code is ours, its output is in the document', async () => {
    world.provider.existing = [machine('web')];
    const { exitCode, json } = await world.run(
      ['prod', 'ssh', 'web', '--json', '--', 'df', '-h /'],
      await fakeSsh(),
    );
    expect(exitCode).toBe(7);
    expect(json).toEqual({
      host: 'web',
      exitCode: 7,
      stdout: "-p\n22\nroot@192.0.2.1\ndf '-h /'",
      stderr: 'oops',
    });
  });

  test.each([
    ['a host that is none', 'wep', [machine('web')], 2, 'there is no host "wep"', 'Did you mean web?'],
    ['no host at all', 'web', [], 2, 'there are no hosts yet', 'pipeline prod up'],
    [
      'a stopped host',
      'web',
      [machine('web', { state: 'stopped' })],
      3,
      'web is stopped',
      'pipeline prod up',
    ],
  ])('to %s says so', async (_what, name, machines, code, message, next) => {
    world.provider.existing = machines;
    const { exitCode, stdout } = await world.run(['prod', 'ssh', name, '--', 'true'], await fakeSsh());
    expect(exitCode).toBe(code);
    expect(stdout).toContain(message);
    expect(stdout).toContain(next);
  });
});

describe('prod destroy', () => {
  beforeEach(() => {
    world.provider.existing = [machine('web')];
  });

  test('without a yes and without a terminal removes nothing', async () => {
    const { exitCode, stdout } = await world.run(['prod', 'destroy']);
    expect(exitCode).toBe(2);
    expect(stdout).toContain('  host web');
    expect(stdout).toContain('Run it again with --yes.');
    expect(world.provider.calls).not.toContain('destroy');
  });

  test('with a yes removes the hosts and the inventory', async () => {
    world.write('inventory.ini', '[web]\n');
    const { exitCode, json } = await world.run(['prod', 'destroy', '--yes', '--json']);
    expect(exitCode).toBe(0);
    expect(json).toEqual({ provider: 'local', removed: ['host web'], left: [] });
    expect(existsSync(join(world.folder, 'inventory.ini'))).toBe(false);
  });

  test('of nothing needs no yes', async () => {
    world.provider.existing = [];
    const { exitCode, stdout } = await world.run(['prod', 'destroy']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Nothing to remove.');
  });

  test('of two things at once exits 2', async () => {
    const { exitCode, stdout } = await world.run(['prod', 'destroy', '--orphans', '--canary', '--yes']);
    expect(exitCode).toBe(2);
    expect(stdout).toContain('--orphans and --canary are two different things');
    expect(world.provider.calls).toEqual([]);
  });
});

test.each([
  ['an unknown provider', { PIPELINE_PROVIDER: 'digitalocan' }, [], 'Did you mean digitalocean?'],
  ['a configuration that is missing', {}, ['-c', 'none.yml'], 'none.yml'],
])('prod plan with %s exits 2', async (_what, env, args, words) => {
  world.write('pipeline.yml', 'project: shop\nhosts: { web: { roles: [nginx] } }\napps: {}\n');
  const { exitCode, stdout } = await world.run(['prod', 'plan', ...args], env);
  expect(exitCode).toBe(2);
  expect(stdout).toContain(words);
});

test('a configuration with several mistakes names them all', async () => {
  world.write(
    'pipeline.yml',
    'project: Shop!\nhosts: { web: { roles: [ngin] } }\napps: { a: { hosts: [wep] } }\n',
  );
  const { exitCode, json } = await world.run(['prod', 'plan', '--json']);
  expect(exitCode).toBe(2);
  const { output } = (json as { error: { output: string[] } }).error;
  expect(output.length).toBeGreaterThanOrEqual(3);
  expect(output.join('\n')).toContain('ngin');
});
