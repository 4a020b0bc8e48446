/**
 * The program is killed (SIGKILL) before and after every API call and every remote command of `up` and of
 * `destroy`, one point a run, and then run again: it converges, and nothing exists twice or stays behind.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eachOf } from '../../../../src/cloud/digitalocean/api/wait.ts';
import { marksOf } from '../../../../src/cloud/digitalocean/plan/names.ts';
import type { FakeAccount } from '../../../fakes/digitalocean/account.ts';
import { callName } from '../../../fakes/digitalocean/faults.ts';
import { FAKE_TOKEN } from '../../../fakes/digitalocean/server.ts';
import { expectConverged, expectGone } from '../outcome.ts';
import { type Command, preparedAccount } from '../prepared.ts';
import { type Scene, SPEED, withScene } from '../support.ts';
import { foreignThings } from './foreign.ts';

let folder: string;
let program: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-do-program-'));
  program = join(folder, 'program.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, '../program.ts')],
    outfile: program,
    ...{ bundle: true, platform: 'node', format: 'esm', logLevel: 'error' },
    banner: {
      js: "import { createRequire as __make } from 'node:module'; const require = __make(import.meta.url);",
    },
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Child {
  readonly kill: () => void;
  readonly ended: Promise<{
    readonly signal: string | null;
    readonly code: number | null;
    readonly output: string;
  }>;
}

function start(scene: Scene, command: Command): Child {
  const child = spawn(process.execPath, [program, command], {
    env: {
      PATH: process.env.PATH,
      FAKE_URL: scene.fake.url,
      FAKE_SPEED: String(SPEED),
      FAKE_TOKEN,
      DIRECTORY: scene.directory,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (data: Buffer) => {
    output += data.toString();
  });
  const ended = new Promise<Awaited<Child['ended']>>((resolve) => {
    child.on('close', (code, signal) => resolve({ signal, code, output }));
  });
  return { kill: () => child.kill('SIGKILL'), ended };
}

interface Point {
  readonly call: string;
  readonly effect: boolean;
}

/** Before and after every call of an undisturbed run; what only asks has no effect to come after. */
async function pointsOf(command: Command, account: FakeAccount): Promise<readonly Point[]> {
  return withScene({ account: structuredClone(account) }, async (scene) => {
    expect(await start(scene, command).ended).toMatchObject({ code: 0, output: '' });
    return scene.fake
      .calls()
      .flatMap((call) =>
        (call.method === 'GET' ? [false] : [false, true]).map((effect) => ({ call: callName(call), effect })),
      );
  });
}

/** @returns whether the point came up and the program was killed there */
async function killAt(command: Command, account: FakeAccount, point: Point): Promise<boolean> {
  return withScene({ account: structuredClone(account) }, async (scene) => {
    const marks = marksOf(scene.spec);
    const before = foreignThings(scene.account, marks);
    let child: Child | undefined;
    scene.fake.fail((call) =>
      callName(call) === point.call
        ? { kind: 'call', effect: point.effect, act: () => child?.kill() }
        : undefined,
    );
    child = start(scene, command);
    const { signal, output } = await child.ended;
    scene.fake.fail(undefined);
    if (command === 'up') {
      const machines = await scene.up();
      await expectConverged(scene, marks, machines);
    } else {
      await scene.provider().destroy();
      expectGone(scene, marks);
    }
    expect(foreignThings(scene.account, marks)).toEqual(before);
    expect(output).toBe('');
    return signal === 'SIGKILL';
  });
}

describe.each<Command>(['up', 'destroy'])('killed during %s and run again', (command) => {
  it('converges from every point', { timeout: 400_000 }, async () => {
    const account = await preparedAccount(command);
    const points = await pointsOf(command, account);
    const results = await eachOf(points, 3, (point) => killAt(command, account, point));
    const failed = results.flatMap((result, index) =>
      result.status === 'rejected' ? [`${JSON.stringify(points[index])}: ${result.reason}`] : [],
    );
    // How often something is asked again until it is ready differs from run to run.
    const missed = points.filter(({ call }, index) => {
      const result = results[index];
      const again = call.startsWith('GET') && !call.endsWith('#1');
      return result?.status === 'fulfilled' && !result.value && !again;
    });
    const remote = points.filter(({ call }) => call.startsWith('SSH')).length;
    process.stdout.write(
      `${command}: killed at ` +
        `${results.filter((one) => one.status === 'fulfilled' && one.value).length} of ` +
        `${points.length} points (${points.length - remote} around API calls, ${remote} around ` +
        'remote commands)\n',
    );
    expect(failed).toEqual([]);
    expect(missed).toEqual([]);
  });
});
