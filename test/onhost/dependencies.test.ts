/** What a host installs and builds for a release, once, and when that goes. */
import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/contract/manifest.ts';
import type { Placing, ReleaseEvent } from '../../src/contract/release.ts';
import type { HookCommand } from '../../src/onhost/host.ts';
import { place } from '../../src/onhost/place.ts';
import { prune } from '../../src/onhost/prune.ts';
import { sceneOf } from '../../src/onhost/scene.ts';
import type { FakeHost } from './fake-host.ts';
import { NEW, OLD, placed, servingHost, takeOver } from './orders.ts';

const LOCK = 'a1b2c3d4e5f6a7b8c9d0';
const MADE = '/srv/shop/dependencies/python-3.11.2-a1b2c3d4e5f6a7b8';
const WANTED = {
  dependencies: { language: 'python', files: { 'requirements.txt': 'flask==3' }, least: null },
} as const;

function pythonHost(version = '3.11.2'): FakeHost {
  const host = servingHost();
  const run = host.run;
  host.run = async (program, ...args) => {
    const ran = await run(program, ...args);
    return program === 'python3' ? { code: version === '' ? 127 : 0, said: `${version}\n` } : ran;
  };
  return host;
}

async function bring(host: FakeHost, command: Manifest['command'], placing: Partial<Placing> = WANTED) {
  const { manifest } = placed(NEW, 'green');
  const order = takeOver({ manifest: { ...manifest, runtime: 'command', node: null, command } });
  if (order.placing === null) throw new Error('the order places nothing');
  const events: ReleaseEvent[] = [];
  await place(
    sceneOf(host, order, (event) => events.push(event)),
    { ...order.placing, ...placing },
  );
  return events;
}

const python = { language: 'python', lock: LOCK, build: null } as const;

describe('dependencies on the host', () => {
  it('are installed as a user without rights, belong to root, and are linked into the release', async () => {
    const host = pythonHost();
    const hooks: HookCommand[] = [];
    host.hooks = (hook) => {
      hooks.push(hook);
      expect(host.files.get(`${MADE}/.from/requirements.txt`)).toBe('flask==3');
      return 0;
    };
    const events = await bring(host, python);
    expect(hooks).toMatchObject([{ user: 'pipeline-build', command: './.install', seconds: 1800 }]);
    expect(host.links.get(`/srv/shop/releases/${NEW}/dependencies`)).toBe(
      '../../dependencies/python-3.11.2-a1b2c3d4e5f6a7b8',
    );
    const owners = host.calls.filter((call) => call.startsWith('chown') && call.includes(MADE));
    expect(owners.map((call) => call.split(' ')[3])).toEqual(['pipeline-build:pipeline-build', 'root:root']);
    expect(owners.every((call) => call.includes('--no-dereference'))).toBe(true);
    expect(events.at(-1)).toMatchObject({ event: 'done', detail: 'dependencies installed' });
    expect(await host.exists('/srv/shop/.build')).toBe(false);
  });

  it('are reused for the same lock file, and made anew for another Python', async () => {
    const host = pythonHost();
    host.files.set(`${MADE}/.complete`, '');
    host.hooks = () => {
      throw new Error('nothing is installed');
    };
    expect((await bring(host, python)).at(-1)).toMatchObject({ detail: 'dependencies reused' });
    const newer = pythonHost('3.13.1');
    newer.files.set(`${MADE}/.complete`, '');
    expect((await bring(newer, python)).at(-1)).toMatchObject({ detail: 'dependencies installed' });
  });

  it('that cannot be installed leave no release, and are not taken for whole', async () => {
    const host = pythonHost();
    host.hooks = () => 1;
    await expect(bring(host, python)).rejects.toMatchObject({
      step: 'place',
      message: 'installing dependencies for Python 3.11.2 ended with exit code 1',
    });
    expect(await host.exists(`/srv/shop/releases/${NEW}`)).toBe(false);
    expect(await host.exists(`${MADE}/.complete`)).toBe(false);
  });

  it('need a Python that is there, and new enough', async () => {
    await expect(bring(pythonHost(''), python)).rejects.toThrow('the host has no Python');
    const least = { dependencies: { ...WANTED.dependencies, least: '3.12' } };
    await expect(bring(pythonHost(), python, least)).rejects.toThrow(/needs Python 3\.12.*has 3\.11\.2/);
  });

  it('go with the last release that has them', async () => {
    const host = pythonHost();
    await bring(host, python);
    host.folders.add('/srv/shop/dependencies/python-3.9.2-old');
    const scene = sceneOf(host, takeOver(), () => {});
    await prune(scene, [OLD]);
    expect(await host.exists(MADE)).toBe(true);
    expect(await host.exists('/srv/shop/dependencies/python-3.9.2-old')).toBe(false);
    await prune(scene, [NEW]);
    expect(await host.exists(MADE)).toBe(false);
  });
});

describe('a build on the host', () => {
  it('runs once for a commit and its command; the release gets its files', async () => {
    const host = servingHost();
    const hooks: HookCommand[] = [];
    host.hooks = (hook) => {
      hooks.push(hook);
      return 0;
    };
    const command = { language: null, lock: null, build: 'make all' } as const;
    await bring(host, command, {});
    const [name = ''] = await host.list('/srv/shop/builds');
    expect(hooks).toMatchObject([
      { command: 'make all', user: 'pipeline-build', directory: `/srv/shop/builds/${name}/app` },
    ]);
    expect(host.calls).toContain(`cp -al /srv/shop/builds/${name}/app /srv/shop/releases/.new/app`);
    expect(host.links.get(`/srv/shop/releases/${NEW}/build`)).toBe(`../../builds/${name}`);
    await host.remove(`/srv/shop/releases/${NEW}`);
    await bring(host, command, {});
    expect(hooks).toHaveLength(1);
  });
});
