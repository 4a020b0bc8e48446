/**
 * Killed at any moment, run again: it converges. Destroyed in any state: nothing is left, and nobody else's
 * is touched.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { localEnvironments } from '../../../src/cloud/local/environments.ts';
import { tryLock } from '../../../src/cloud/local/lock.ts';
import { createLocalProvider } from '../../../src/cloud/local/provider.ts';
import { environmentLayout, hostLayout, localSettings } from '../../../src/cloud/local/settings.ts';
import type { EnvironmentSpec } from '../../../src/cloud/provider.ts';
import { quietContext } from '../../../src/context.ts';
import {
  hostsUnavailable,
  sshArguments,
  startHosts,
  testEnvironment,
  withHosts,
} from '../../support/hosts.ts';
import { leftovers } from '../../support/local-leftovers.ts';
import { bundleProgram, type Program } from './program.ts';

const unavailable = hostsUnavailable();
if (unavailable !== undefined) process.stderr.write(`SKIPPED local hosts: ${unavailable}\n`);

describe.skipIf(unavailable !== undefined)('an environment', () => {
  const context = quietContext();
  let program: Program;
  let spec: EnvironmentSpec;
  const provider = () => createLocalProvider(context, spec);
  const layout = () => environmentLayout(localSettings(process.env), spec);

  beforeAll(async () => {
    // the base image is made before anything is measured or killed
    await withHosts({ names: ['first'] }, async () => {});
    program = await bundleProgram();
  });
  afterAll(() => program?.remove());
  afterEach(async () => {
    await provider().destroy();
    rmSync(spec.directory, { recursive: true, force: true });
  });

  /** Kills the program at its `moment`th line. */
  const killedAt = async (verb: 'up' | 'destroy', moment: number) => {
    let seen = 0;
    const ended = await program.run(verb, spec, {
      onLine: (_, child) => {
        seen++;
        if (seen === moment) child.kill('SIGKILL');
      },
    });
    return { ended, finished: ended.lines.includes('finished') };
  };
  const converge = async () => {
    const machines = await provider().apply(await provider().plan());
    expect(machines.map(({ name, state }) => `${name} ${state}`)).toEqual(['db running', 'web running']);
    for (const machine of machines) {
      expect(execFileSync('ssh', [...sshArguments(machine), 'hostname'], { encoding: 'utf8' })).toBe(
        `${machine.name}\n`,
      );
    }
    expect((await provider().plan()).changes).toEqual([]);
  };

  test('killed at any moment of `up`, the next one finishes the work', async () => {
    spec = testEnvironment({ names: ['db', 'web'] });
    const clean = await program.run('up', spec);
    expect(clean).toMatchObject({ code: 0, errors: '' });
    const moments = clean.lines.length - 1;
    expect(moments).toBeGreaterThan(10);
    for (let moment = 1; moment <= moments; moment += Math.ceil(moments / 6)) {
      await provider().destroy();
      const { finished } = await killedAt('up', moment);
      expect(finished, `moment ${moment}`).toBe(false);
      await converge();
    }
  });

  test('killed at any moment of `destroy`, the next one finishes the work', async () => {
    spec = testEnvironment({ names: ['db', 'web'] });
    for (let moment = 1; ; moment += 4) {
      await provider().apply(await provider().plan());
      expect(leftovers(spec).length).toBeGreaterThan(10);
      const { finished } = await killedAt('destroy', moment);
      await provider().destroy();
      expect(leftovers(spec), `moment ${moment}`).toEqual([]);
      if (finished) break;
    }
  });

  test('killed at any moment of `up`, then destroyed: nothing is left', async () => {
    spec = testEnvironment({ names: ['db', 'web'] });
    for (let moment = 2; ; moment += 4) {
      const { finished } = await killedAt('up', moment);
      const { removed } = await provider().destroy();
      expect(leftovers(spec), `moment ${moment}`).toEqual([]);
      if (!finished) continue;
      expect(removed).toHaveLength(3);
      break;
    }
  });

  test('Ctrl-C stops `up` cleanly; the next one finishes the work', async () => {
    spec = testEnvironment({ names: ['db', 'web'] });
    const ended = await program.run('up', spec, {
      onLine: (line, child) => {
        if (line.startsWith('web host started')) child.kill('SIGINT');
      },
    });
    expect(ended).toMatchObject({ code: 1, errors: expect.stringContaining('interrupted') });
    await converge();
  });

  test('whatever a host lost, `up` mends it', async () => {
    spec = testEnvironment({ names: ['db', 'web'] });
    await provider().apply(await provider().plan());
    const { bridge, table, controlGroup } = layout();
    const web = hostLayout(layout(), 'web');
    const damages: Record<string, () => void> = {
      "the container's process is killed, its guest lives on": () =>
        execFileSync('pkill', ['-KILL', '-f', `machine=web-${layout().id}`]),
      'the bridge is gone': () => execFileSync('ip', ['link', 'delete', bridge]),
      'the nftables table is gone': () => execFileSync('nft', ['delete', 'table', 'ip', table]),
      'its record is gone: the host is half-made': () => rmSync(web.recordFile),
      'its record is damaged': () => writeFileSync(web.recordFile, '{'),
      'its disk is gone while it runs': () => rmSync(web.directory, { recursive: true }),
      'an empty folder is in its place': () => {
        execFileSync('sh', ['-c', `rm -rf "$1" && mkdir "$1"`, 'sh', web.directory]);
      },
      'all processes are killed': () =>
        execFileSync('sh', [
          '-c',
          `for f in $(find /sys/fs/cgroup -path "*${controlGroup}/*" -name cgroup.procs); do ` +
            'kill -9 $(cat $f) || :; done 2> /dev/null',
        ]),
    };
    for (const [damage, inflict] of Object.entries(damages)) {
      inflict();
      await expect
        .poll(async () => (await provider().plan()).changes.length, { timeout: 5000, message: damage })
        .toBeGreaterThan(0);
      await converge();
    }
  });

  test.each<[string, () => void | Promise<void>]>([
    [
      'never made',
      () =>
        provider()
          .destroy()
          .then(() => {}),
    ],
    [
      'with a host that is only a folder',
      () => {
        mkdirSync(join(layout().directory, 'odd', 'disk'), { recursive: true });
      },
    ],
    ['whose folder was removed while hosts run', () => rmSync(layout().directory, { recursive: true })],
    [
      'with something mounted in a host',
      () => {
        const { directory } = hostLayout(layout(), 'web');
        mkdirSync(join(directory, 'stale'));
        execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(directory, 'stale')]);
        execFileSync('sh', [
          '-c',
          'cd "$1" && exec setsid sleep 3 > /dev/null 2>&1 &',
          'sh',
          join(directory, 'stale'),
        ]);
      },
    ],
    [
      'with devices of a host that is dead',
      () => {
        const { bridge } = layout();
        execFileSync('ip', ['link', 'add', `${bridge}-99`, 'type', 'veth', 'peer', 'name', `${bridge}-98`]);
      },
    ],
  ])('%s is destroyed without a trace', async (state, prepare) => {
    spec = testEnvironment({ names: ['db', 'web'] });
    if (state !== 'never made') await provider().apply(await provider().plan());
    await prepare();
    await provider().destroy();
    expect(leftovers(spec).filter((line) => !line.includes('sleep'))).toEqual([]);
    expect(await provider().destroy()).toEqual({ removed: [], left: [] });
  });

  test('two at once get different networks, and destroying one leaves the other alone', async () => {
    const [one, two] = await Promise.all([startHosts({ names: ['web'] }), startHosts({ names: ['web'] })]);
    spec = one.spec;
    try {
      expect(one.machine('web').address).not.toBe(two.machine('web').address);
      await one.stop();
      expect(leftovers(one.spec)).toEqual([]);
      expect((await two.provider.plan()).changes).toEqual([]);
      const hello = execFileSync('ssh', [...sshArguments(two.machine('web')), 'hostname'], {
        encoding: 'utf8',
      });
      expect(hello).toBe('web\n');
    } finally {
      await Promise.all([one.stop(), two.stop()]);
    }
  });

  test('two commands at once: one works, the other says who does', async () => {
    spec = testEnvironment({ names: ['web'] });
    const lock = await tryLock(context, layout().lockFile);
    await expect(provider().apply(await provider().plan())).rejects.toMatchObject({
      kind: 'locked',
      exitCode: 4,
      next: expect.stringContaining('again'),
    });
    await lock?.release();
  });

  test('a taken network is named', async () => {
    spec = testEnvironment({ names: ['web'] });
    await provider().apply(await provider().plan());
    const { address } = (await provider().machines())[0] ?? { address: '' };
    const route = `${address.replace(/\d+$/, '0')}/25`;
    execFileSync('ip', ['route', 'add', route, 'dev', 'lo', 'metric', '9']);
    try {
      await expect(provider().plan()).rejects.toMatchObject({
        kind: 'usage',
        message: expect.stringContaining(`route ${route} (lo)`),
      });
    } finally {
      execFileSync('ip', ['route', 'delete', route, 'dev', 'lo', 'metric', '9']);
    }
  });

  test('whose project folder is gone is found and removed', async () => {
    spec = testEnvironment({ names: ['web'] });
    await provider().apply(await provider().plan());
    const find = async () =>
      (await localEnvironments(context)).find(({ project }) => project === spec.project);
    expect(await find()).toMatchObject({ orphan: false, hosts: ['web'], environment: 'prod' });
    await rename(spec.directory, `${spec.directory}.away`);
    const orphan = await find();
    expect(orphan).toMatchObject({ orphan: true, directory: spec.directory });
    await orphan?.remove();
    expect(leftovers(spec)).toEqual([]);
    rmSync(`${spec.directory}.away`, { recursive: true });
  });
});
