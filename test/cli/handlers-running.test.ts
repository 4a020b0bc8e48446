/** run, restart and maintenance as whole commands, against hosts that answer by hand. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { preparation } from '../../src/release/send/prepare.ts';
import { programName } from '../../src/release/send/program.ts';
import { kept } from '../release/support.ts';
import { World } from './world.ts';

let world: World;
vi.mock('../../src/ssh/openssh.ts', () => ({
  connect: (...args: Parameters<World['connect']>) => world.connect(...args),
}));

const two = kept('20261102-000000-two');

beforeEach(async () => {
  world = new World();
  world.write(
    'pipeline.yml',
    `project: shop
hosts: { web: { roles: [nginx], count: 2 } }
apps:
  app: { source: ., hosts: [web], secrets: { KEY: { env: KEY } }, site: { maintenance: closed.html } }
`,
  );
  const vars = 'ansible_port=22 ansible_user=root';
  const hosts = [1, 2].map((n) => `web-${n} ansible_host=192.0.2.${n} ${vars}\n`).join('');
  world.write('inventory.ini', `[web]\n${hosts}`);
  world.write('closed.html', '<p>Back soon</p>');
  const lines = [
    'architecture x86_64',
    `program ${await programName()}`,
    'program-node 20.19.0',
    `prepared ${preparation('node-service')}`,
    'slot app 3',
    'green 100',
    'colour green 20261102-000000-two',
    'unit pipeline-app@green.service active',
    `release live d2 ${JSON.stringify(two.manifest)}`,
    'complete',
  ];
  world.answers['look at app'] = () => ({ lines });
  for (const label of ['restart app', 'write the audit log', 'order a command in app'])
    world.answers[label] = () => ({});
});
afterEach(() => world.remove());

const scripts = (label: string) =>
  world.asked.filter((one) => one.label === label).map(({ script }) => script);

describe('maintenance', () => {
  test('closes every host with the page, says until when, and is in their audit logs', async () => {
    world.answers['close the site of app'] = () => ({ stdout: 'open\n' });
    const { exitCode, json } = await world.run(['maintenance', 'on', 'app', '--for', '30m', '--json']);
    expect({ exitCode, json }).toMatchObject({
      exitCode: 0,
      json: { app: 'app', closed: true, changed: true, hosts: ['web-1', 'web-2'] },
    });
    expect(scripts('close the site of app')).toHaveLength(2);
    expect(scripts('close the site of app')[0]).toContain("page='<p>Back soon</p>'");
    expect(scripts('write the audit log')[1]).toContain('"action":"maintenance"');
    expect(scripts('look at app')).toEqual([]);
  });

  test('of what was never deployed, or with a page that is not there, exits 2', async () => {
    world.answers['close the site of app'] = () => ({ stdout: 'none\n' });
    expect((await world.run(['maintenance', 'on', 'app'])).exitCode).toBe(2);
    world.write('closed.html', '  ');
    const { exitCode, stdout } = await world.run(['maintenance', 'on', 'app']);
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 2, stdout: expect.stringContaining('is empty') });
    expect(scripts('write the audit log')).toEqual([]);
  });

  test('that is over already changes nothing', async () => {
    world.answers['open the site of app'] = () => ({ stdout: 'open\n' });
    const { exitCode, stdout } = await world.run(['maintenance', 'off', 'app']);
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('Nothing was'),
    });
    expect(scripts('write the audit log')).toEqual([]);
  });
});

describe('restart', () => {
  test('takes over from the same release, host by host, or on one host alone', async () => {
    const all = await world.run(['restart', 'app', '--json']);
    expect(all).toMatchObject({ exitCode: 0, json: { release: '20261102-000000-two', changed: true } });
    expect(scripts('restart app')).toHaveLength(4);
    expect(scripts('restart app')[0]).toContain('"verb":"take-over"');
    world.asked.length = 0;
    expect((await world.run(['restart', 'app', '--host', 'web-2'])).exitCode).toBe(0);
    expect(world.said().filter((one) => one.endsWith('restart app'))).toEqual(['web-2: restart app']);
    expect((await world.run(['restart', 'app', '--host', 'web-3'])).exitCode).toBe(2);
  });
});

describe('run', () => {
  const withSsh = (script: string) => {
    mkdirSync(join(world.folder, 'bin'));
    chmodSync(world.write('bin/ssh', `#!/bin/sh\n${script}\n`), 0o755);
    return { PATH: `${world.folder}/bin:${process.env.PATH}` };
  };

  test('orders the command on the first host, and keeps it off every command line', async () => {
    const env = withSsh('printf "%s\\n" "$@"; echo oops >&2; exit 7');
    const { exitCode, json } = await world.run(['run', 'app', '--json', '--', 'node', 'x.js', 'a b'], env);
    expect(exitCode).toBe(7);
    expect(json).toMatchObject({
      host: 'web-1',
      release: '20261102-000000-two',
      exitCode: 7,
      stderr: 'oops\n',
    });
    expect(JSON.stringify(json)).not.toContain('x.js');
    const [order = ''] = scripts('order a command in app');
    expect(order).toContain('"words":["node","x.js","a b"]');
    expect(order).toContain('"secrets":["KEY"]');
    expect(order).toContain('"by":"ann"');
  });

  test('needs a command where there is no terminal', async () => {
    expect(await world.run(['run', 'app'])).toMatchObject({ exitCode: 2 });
    expect(world.said()).toEqual([]);
  });
});
