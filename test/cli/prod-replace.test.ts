/** prod replace as a whole command, at a provider whose machines are a list: what is removed and made. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { machine, World } from './world.ts';

let world: World;
vi.mock('../../src/ssh/openssh.ts', () => ({
  connect: (...args: Parameters<World['connect']>) => world.connect(...args),
}));
vi.mock('../../src/environment/provider.ts', async (original) => ({
  ...(await original<object>()),
  openProvider: async () => world.provider,
}));
vi.mock('../../src/release/index.ts', async (original) => ({
  ...(await original<object>()),
  convergeHost: async () => ({ changes: [], theirs: [], seconds: 1 }),
}));
vi.mock('../../src/host/facts.ts', async (original) => ({
  ...(await original<object>()),
  gatherFacts: async () => ({ host: { memoryBytes: 2 ** 30 } }),
}));
let watching = 0;
vi.mock('../../src/watching/set-up.ts', () => ({
  setUpMonitor: async () => {
    watching++;
    return { hosts: [], first: undefined };
  },
}));

const MINUTE = 60_000;
const at = (host: string, minutes: number) => ({
  id: 'a'.repeat(64),
  host,
  item: 'monitor',
  // A bit more, so that it is rounded up however quick the test is.
  at: Date.now() - minutes * MINUTE - 10_000,
  before: false,
});
const end = { event: 'end' };
const says = (...events: readonly object[]) => ({
  lines: [...events, end].map((one) => JSON.stringify(one)),
});

beforeEach(() => {
  world = new World();
  watching = 0;
  world.write(
    'pipeline.yml',
    `project: shop
provider: local
hosts: { web: {}, watch: {} }
monitor: { host: watch }
backups: { to: 's3:https://s3.example.com/b', password: { env: P }, credentials: { env: C } }
`,
  );
  Object.assign(world.answers, {
    'is it being replaced': () => ({ exitCode: 1 }),
    'is it watched': () => ({ exitCode: 1 }),
    'note what is done': () => ({}),
    'write the audit log': () => ({}),
    'backup served': () => says({ event: 'served', releases: [], before: [] }),
    'backup list': () => says({ event: 'snapshots', snapshots: [at('watch', 14), at('web', 3)] }),
    'backup prepare': () => says(),
    'backup finish': () => says(),
  });
  world.provider.existing = [machine('web'), machine('watch')];
});
afterEach(() => world.remove());

const replace = (name: string, ...more: readonly string[]) =>
  world.run(['prod', 'replace', name, ...more], { P: 'password', C: 'id:secret' });

test('says first what is lost, by what others know; without a yes nothing is touched', async () => {
  const { exitCode, stdout } = await replace('watch');
  expect(exitCode).toBe(2);
  expect(stdout.split('\n')[0]).toBe(
    'watch is made anew, and what was written there in the last 15 minutes is lost.',
  );
  expect(stdout).toContain('watch (192.0.2.1) still runs. It is removed, with everything on it.');
  expect(world.provider.calls).toEqual(['machines']);
});

test('removes it, makes it, and brings back each thing once', async () => {
  world.provider.next = [machine('watch')];
  const { exitCode, stdout } = await replace('watch', '--yes');
  expect(stdout).toContain('watch is back at 192.0.2.1');
  expect(exitCode).toBe(0);
  expect(world.provider.calls).toEqual(['machines', 'remove watch', 'plan', 'apply']);
  expect(watching).toBe(1);
  const on = world.said().filter((one) => /prepare|finish|note/.test(one));
  expect(on).toEqual([
    'watch: note what is done',
    'watch: note what is done',
    'watch: note what is done',
    'watch: backup prepare',
    'watch: backup finish',
    'watch: note what is done',
    'watch: note what is done',
  ]);
});

test('what an earlier run made is not removed again, and what it brought back not brought again', async () => {
  world.answers['watch: is it being replaced'] = () => ({ exitCode: 0 });
  world.answers['note what is done'] = () => ({ stdout: 'host\nmonitor\n' });
  const { exitCode, stdout } = await replace('watch', '--yes');
  expect(exitCode).toBe(0);
  expect(stdout).toContain('An earlier run made watch anew and was interrupted');
  expect(world.provider.calls).not.toContain('remove watch');
  expect(world.said().join()).not.toContain('backup prepare');
});

test('a host that is none is not made', async () => {
  const { exitCode, stdout } = await replace('wathc', '--yes');
  expect(exitCode).toBe(2);
  expect(stdout).toContain('Did you mean watch?');
  expect(world.provider.calls).toEqual([]);
});

describe('a host of an inventory', () => {
  const given = (name: string, ...more: readonly string[]) => replace(name, '-i', 'theirs.ini', ...more);

  beforeEach(() => {
    world.write(
      'theirs.ini',
      '[web]\nweb ansible_host=192.0.2.2 ansible_user=root ansible_port=22\n' +
        '[watch]\nwatch ansible_host=192.0.2.3 ansible_user=root ansible_port=22\n',
    );
    Object.assign(world.answers, {
      'is it empty': () => ({}),
      'look at SSH and addresses': () => ({ stdout: 'port 22\n' }),
      'password of the backups': () => ({}),
    });
  });

  test('becomes what the lost one was, where somebody brought a new machine; none is made or removed', async () => {
    const { exitCode, stdout } = await given('watch', '--yes');
    expect(stdout.split('\n')[0]).toBe(
      'watch is made anew, and what was written there in the last 15 minutes is lost.',
    );
    expect(stdout).toContain('watch is back at 192.0.2.3');
    expect(exitCode).toBe(0);
    expect(world.provider.calls).toEqual([]);
    expect(watching).toBe(1);
    const on = world.said().filter((one) => /prepare|finish|empty|note|lock/.test(one));
    expect(on).toEqual([
      'watch: is it empty',
      // Locks and notes: hosts are converged, then each thing comes back once.
      'web: lock',
      'watch: note what is done',
      'watch: note what is done',
      'watch: lock',
      'watch: note what is done',
      'watch: note what is done',
      'watch: backup prepare',
      'watch: backup finish',
      'watch: note what is done',
      'watch: note what is done',
    ]);
  });

  test('that is not empty is refused before anything is said or touched', async () => {
    world.answers['watch: is it empty'] = () => ({ stdout: 'the application shop\nthe monitor\n' });
    const { exitCode, stdout } = await given('watch', '--yes');
    expect(exitCode).toBe(2);
    expect(stdout).toContain('watch is not empty: it has the application shop, the monitor');
    expect(stdout).toContain('Give a new, empty machine under the name watch in theirs.ini');
    expect(world.said().join()).not.toContain('note');
  });

  test('that an earlier run began to fill is finished, empty or not', async () => {
    world.answers['watch: is it being replaced'] = () => ({ exitCode: 0 });
    world.answers['watch: is it empty'] = () => ({ stdout: 'the monitor\n' });
    world.answers['note what is done'] = () => ({ stdout: 'host\nmonitor\n' });
    const { exitCode, stdout } = await given('watch', '--yes');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('An earlier run made watch anew and was interrupted');
    expect(world.said().join()).not.toContain('backup prepare');
  });

  test('without a yes nothing is touched; one that is none is named', async () => {
    expect((await given('watch')).exitCode).toBe(2);
    expect(world.said().join()).not.toContain('note');
    const { exitCode, stdout } = await given('wathc', '--yes');
    expect(exitCode).toBe(2);
    expect(stdout).toContain('Did you mean watch?');
    const both = await given('watch', '--provider', 'local');
    expect(both.stdout).toContain('--provider makes hosts, and -i takes those that are there');
  });
});
