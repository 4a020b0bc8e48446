/** `pipeline jobs …` as whole commands, against hosts that answer by hand. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { JobStatus } from '../../src/contract/jobs.ts';
import { World } from './world.ts';

let world: World;
vi.mock('../../src/ssh/openssh.ts', () => ({
  connect: (...args: Parameters<World['connect']>) => world.connect(...args),
}));

const run = { began: '2026-11-29T03:00:00.100Z', ended: '2026-11-29T03:00:02.600Z', by: null };
const idle = { when: '03:00 UTC', next: '2026-11-30T03:00:00.000Z', running: null, interrupted: null };
const JOBS: readonly JobStatus[] = [
  { ...idle, name: 'nightly', run: 'node report.js', last: { ...run, result: 'done', why: 'exit code 0' } },
  {
    ...idle,
    name: 'mail',
    run: 'node m.js',
    last: { ...run, result: 'failed', why: 'exit code 3', by: 'ann' },
  },
  { ...idle, name: 'busy', run: 'node b.js', running: '2026-11-29T04:00:00.000Z', last: null },
  { ...idle, name: 'cut', run: 'node c.js', interrupted: '2026-11-29T02:00:00.000Z', last: null },
  {
    ...idle,
    name: 'kept',
    run: 'node k.js',
    last: { ...run, result: 'interrupted', why: 'the host went down while it ran' },
  },
  { ...idle, name: 'new', run: 'node n.js', next: null, last: null },
];

beforeEach(() => {
  world = new World();
  world.write(
    'pipeline.yml',
    `project: shop
hosts: { web: { roles: [nginx], count: 2 } }
apps:
  app: { source: ., hosts: [web], jobs: { nightly: { run: node report.js, at: "03:00" } } }
`,
  );
  const vars = 'ansible_port=22 ansible_user=root';
  world.write(
    'inventory.ini',
    `[web]\nweb-2 ansible_host=192.0.2.2 ${vars}\nweb-1 ansible_host=192.0.2.1 ${vars}\n`,
  );
  world.answers['jobs of app'] = () => ({ stdout: JSON.stringify(JOBS) });
});
afterEach(() => world.remove());

describe('pipeline jobs', () => {
  test('shows when each runs next, and how it went', async () => {
    const { exitCode, stdout } = await world.run(['jobs', 'app']);
    expect(exitCode).toBe(0);
    const lines = stdout.split('\n').map((line) => line.trim().split(/ {2,}/));
    expect(lines[1]).toEqual([
      'nightly',
      '03:00 UTC',
      '2026-11-30 03:00:00',
      '2026-11-29 03:00:00',
      '2.5 s',
      'done',
    ]);
    expect(lines[2]?.at(-1)).toBe('failed: exit code 3, by ann');
    expect(lines[3]?.at(-1)).toBe('running');
    expect(lines[4]?.at(-1)).toBe('interrupted: the host went down');
    expect(lines[5]?.slice(-2)).toEqual([
      '2026-11-29 03:00:00',
      'interrupted: the host went down while it ran',
    ]);
    expect(lines[6]).toEqual(['new', '03:00 UTC', 'not run yet']);
    // The first host of the group, wherever the lock is kept.
    expect(new Set(world.asked.map(({ host }) => host))).toEqual(new Set(['web-2']));
  });

  test('gives the same as JSON', async () => {
    expect((await world.run(['jobs', 'app', '--json'])).json).toEqual({
      app: 'app',
      host: 'web-2',
      jobs: JOBS,
    });
  });

  test('says where there are none', async () => {
    world.answers['jobs of app'] = () => ({ stdout: '[]' });
    expect((await world.run(['jobs', 'app'])).stdout).toContain(
      'has no jobs yet. Deploy: pipeline deploy app',
    );
  });
});

describe('pipeline jobs run', () => {
  test('shows what it prints, and how it ended', async () => {
    world.answers['run nightly of app'] = () => ({ lines: ['41 orders', 'sent'] });
    const { exitCode, stdout } = await world.run(['jobs', 'run', 'app', 'nightly']);
    expect([exitCode, stdout]).toEqual([0, '41 orders\nsent\nnightly is done, in 2.5 s\n']);
    const { json } = await world.run(['jobs', 'run', 'app', 'nightly', '--json']);
    expect(json).toMatchObject({ app: 'app', job: 'nightly', host: 'web-2', result: 'done', seconds: 2.5 });
  });

  test.each([
    ['mail', {}, 3, 'mail of app failed: exit code 3'],
    ['busy', { exitCode: 10 }, 4, 'busy runs already'],
    ['new', { exitCode: 11 }, 3, 'new of app did not start'],
    ['new', {}, 3, 'nothing tells what became of new'],
    ['nightl', {}, 2, 'no job "nightl"'],
  ])('%s: %j is exit code %i', async (job, answer, code, message) => {
    world.answers[`run ${job} of app`] = () => answer;
    const { exitCode, stdout } = await world.run(['jobs', 'run', 'app', job]);
    expect(exitCode).toBe(code);
    expect(stdout).toContain(message);
  });

  test('asks no host where the command itself is wrong', async () => {
    expect((await world.run(['jobs', 'run', 'app'])).exitCode).toBe(2);
    expect((await world.run(['jobs', 'run', 'shop', 'nightly'])).exitCode).toBe(2);
    expect(world.asked).toEqual([]);
  });
});

test('pipeline jobs log shows the end of it', async () => {
  world.answers['log of nightly'] = () => ({ stdout: '2026-11-29T03:00:00+0000 web app[1]: sent\n' });
  const { json } = await world.run(['jobs', 'log', 'app', 'nightly', '--json']);
  expect(json).toMatchObject({ job: 'nightly', lines: ['2026-11-29T03:00:00+0000 web app[1]: sent'] });
});
