/**
 * Every fault at every call: it converges, or fails with a sentence and converges at the next run; nothing
 * ever exists twice.
 */
import { describe, expect, it } from 'vitest';
import { eachOf } from '../../../../src/cloud/digitalocean/api/wait.ts';
import { marksOf } from '../../../../src/cloud/digitalocean/plan/names.ts';
import { Failure } from '../../../../src/errors.ts';
import type { FakeAccount } from '../../../fakes/digitalocean/account.ts';
import { callName, EVERY_FAULT, type Fault } from '../../../fakes/digitalocean/faults.ts';
import { FAKE_TOKEN } from '../../../fakes/digitalocean/server.ts';
import { expectConverged, expectGone } from '../outcome.ts';
import { type Command, preparedAccount } from '../prepared.ts';
import { type Scene, withScene } from '../support.ts';
import { foreignThings } from './foreign.ts';

/**
 * The client's patience with one call, in this machine's milliseconds: far longer than any answer here
 * takes.
 */
const TIMEOUT_MS = 400;

interface Case {
  readonly call: string;
  readonly title: string;
  readonly fault: Fault;
}

async function run(scene: Scene, command: Command): Promise<void> {
  const provider = scene.provider({}, { timeoutMs: TIMEOUT_MS });
  if (command === 'destroy') await provider.destroy();
  else await provider.apply(await provider.plan());
}

async function casesOf(command: Command, account: FakeAccount): Promise<readonly Case[]> {
  return withScene({ account: structuredClone(account) }, async (scene) => {
    await run(scene, command);
    return scene.fake.calls().flatMap((call) =>
      Object.entries(EVERY_FAULT)
        // SSH knows neither statuses nor answers that could be malformed: its connection breaks.
        .filter(([title]) => call.method !== 'SSH' || title.startsWith('connection reset'))
        .map(([title, fault]) => ({ call: callName(call), title, fault })),
    );
  });
}

/** @returns whether the run ended well in spite of the fault */
async function suffer(
  command: Command,
  account: FakeAccount,
  { call: wanted, fault }: Case,
): Promise<boolean> {
  return withScene({ account: structuredClone(account) }, async (scene) => {
    const marks = marksOf(scene.spec);
    const before = foreignThings(scene.account, marks);
    scene.fake.fail((call) => (callName(call) === wanted ? fault : undefined));
    const failure = await run(scene, command).then(
      () => undefined,
      (error: unknown) => error,
    );
    scene.fake.fail(undefined);
    if (failure !== undefined) {
      expect(failure).toBeInstanceOf(Failure);
      expect(failure).toMatchObject({
        kind: expect.stringMatching(/^(cloud|host)$/),
        next: expect.stringMatching(/.+/),
      });
      expect(String((failure as Failure).message)).not.toContain(FAKE_TOKEN);
      await run(scene, command);
    }
    if (command === 'up') await expectConverged(scene, marks, await scene.provider().machines());
    else expectGone(scene, marks);
    expect(foreignThings(scene.account, marks)).toEqual(before);
    expect(scene.trace.join('\n')).not.toContain(FAKE_TOKEN);
    return failure === undefined;
  });
}

describe.each<Command>(['up', 'destroy'])('every fault at every call of %s', (command) => {
  it('ends converged, at once or at the next run', { timeout: 240_000 }, async () => {
    const account = await preparedAccount(command);
    const cases = await casesOf(command, account);
    const results = await eachOf(cases, 8, (one) => suffer(command, account, one));
    const failed = results.flatMap((result, index) =>
      result.status === 'rejected' ? [`${cases[index]?.call}, ${cases[index]?.title}: ${result.reason}`] : [],
    );
    const second = results.filter((result) => result.status === 'fulfilled' && !result.value).length;
    process.stdout.write(
      `${command}: ${cases.length} faults tried; ${cases.length - failed.length - second} ` +
        `overcome in the same run, ${second} in the next\n`,
    );
    expect(failed).toEqual([]);
  });
});
