/**
 * Every fault at every call: it converges, or fails with a sentence and converges at the next run; nothing
 * ever exists twice. A run suffers one fault at each kind of thing (tags, droplets, SSH …), which makes a
 * third as many runs; a fault that did not come up then, or whose run failed, is tried once more alone.
 */
import { describe, expect, it } from 'vitest';
import { eachOf } from '../../../../src/cloud/digitalocean/api/wait.ts';
import { marksOf } from '../../../../src/cloud/digitalocean/plan/names.ts';
import { Failure } from '../../../../src/errors.ts';
import type { FakeAccount } from '../../../fakes/digitalocean/account.ts';
import { type CallId, callName, EVERY_FAULT, type Fault } from '../../../fakes/digitalocean/faults.ts';
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
  /** What the call is about: faults at others do not change how often it is made. */
  readonly about: string;
  readonly call: string;
  readonly title: string;
  readonly fault: Fault;
}

const named = ({ call, title }: Case) => `${call}, ${title}`;
const about = ({ method, route }: CallId) => (method === 'SSH' ? method : (route.split('/')[2] ?? route));

/** SSH knows neither statuses nor answers that could be malformed; what only asks has no effect to come after. */
function canHappen({ method }: CallId, title: string): boolean {
  if (method === 'SSH') return title.startsWith('connection reset');
  return method !== 'GET' || !title.endsWith('after the effect');
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
        .filter(([title]) => canHappen(call, title))
        .map(([title, fault]) => ({ about: about(call), call: callName(call), title, fault })),
    );
  });
}

/** The n-th case of each kind of thing, for every n. */
function together(cases: readonly Case[]): readonly (readonly Case[])[] {
  const kinds = [...new Set(cases.map((one) => one.about))].map((kind) =>
    cases.filter((one) => one.about === kind),
  );
  const longest = Math.max(...kinds.map(({ length }) => length));
  return Array.from({ length: longest }, (_, index) => kinds.flatMap((kind) => kind[index] ?? []));
}

interface Suffered {
  /** Whether the run ended well in spite of its faults. */
  readonly overcome: boolean;
  /** Faults whose call was never made. */
  readonly missed: readonly Case[];
}

async function suffer(command: Command, account: FakeAccount, cases: readonly Case[]): Promise<Suffered> {
  return withScene({ account: structuredClone(account) }, async (scene) => {
    const marks = marksOf(scene.spec);
    const before = foreignThings(scene.account, marks);
    const missed = new Set(cases);
    scene.fake.fail((call) => {
      const one = cases.find((other) => other.call === callName(call));
      if (one !== undefined) missed.delete(one);
      return one?.fault;
    });
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
    return { overcome: failure === undefined, missed: [...missed] };
  });
}

describe.each<Command>(['up', 'destroy'])('every fault at every call of %s', (command) => {
  it('ends converged, at once or at the next run', { timeout: 400_000 }, async () => {
    const account = await preparedAccount(command);
    const cases = await casesOf(command, account);
    const tried: { readonly cases: readonly Case[]; readonly result: PromiseSettledResult<Suffered> }[] = [];
    const tryAll = async (runs: readonly (readonly Case[])[]) => {
      const results = await eachOf(runs, 8, (run) => suffer(command, account, run));
      const ended = results.map((result, index) => ({ cases: runs[index] ?? [], result }));
      tried.push(...ended);
      return ended.flatMap((one) => (one.result.status === 'rejected' ? one.cases : one.result.value.missed));
    };
    const alone = await tryAll(together(cases));
    const missed = await tryAll(alone.map((one) => [one]));
    const failed = tried.flatMap(({ cases: run, result }) =>
      result.status === 'rejected' ? [`${run.map(named).join('; ')}: ${result.reason}`] : [],
    );
    const second = tried.filter(({ result }) => result.status === 'fulfilled' && !result.value.overcome);
    process.stdout.write(
      `${command}: ${cases.length} faults tried in ${tried.length} runs, ${alone.length} of them alone; ` +
        `${second.length} runs needed another\n`,
    );
    expect(failed).toEqual([]);
    // How often something is asked again until it is ready differs from run to run.
    const again = ({ call }: Case) => call.startsWith('GET') && !call.endsWith('#1');
    expect(missed.filter((one) => !again(one)).map(named)).toEqual([]);
  });
});
