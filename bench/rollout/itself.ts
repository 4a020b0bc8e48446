/**
 * A version against itself on real hosts, several side by side: what becomes of so many rollouts. Each one
 * lets the version that is not live in beside the live one; the two differ by their name alone. Visitors
 * differ in how often they come, how long their answers take, and whether their data fails.
 */
import type { RolloutStatus } from '../../src/contract/rollout.ts';
import { asFailure } from '../../src/errors.ts';
import { followRollout, tellRollout } from '../../src/release/rollout.ts';
import { APP, type ReleaseFixture, startReleases } from '../../test/support/releases.ts';
import { startVisitors, type VisitorOptions } from '../../test/support/visitors.ts';
import { upperLimit } from '../judge/limits.ts';

/** Enough on an idle machine. What is held then, we take back. */
const APP_CONFIG = { rollout: { at_most: '150s', otherwise: 'hold' as const } };
/** In turn. */
const STEPS: readonly (readonly number[])[] = [[20, 50], [50]];
/** Sites in turn: who comes to them. */
type Site = Pick<VisitorOptions, 'visitors' | 'fresh' | 'zipf' | 'refuse' | 'forge'>;
const SITES: readonly Site[] = [
  { visitors: 2000, fresh: 0.3, zipf: 0.8 },
  { visitors: 1000, fresh: 0.15, zipf: 1, refuse: 0.05, forge: 0.05 },
  { visitors: 4000, fresh: 0.6, zipf: 0.6 },
];
/** Deploys that may fail on a host. */
const MOST_FAILURES = 5;
const RATES = [40, 60, 80];

type Phase = 'promoted' | 'held' | 'taken back';

interface Ended {
  readonly phase: Phase;
  readonly seconds: number;
  readonly visitors: number;
  readonly why: string;
  readonly requests: number;
  readonly dropped: number;
}

export async function againstItself(hosts: number, rounds: number): Promise<void> {
  const began = Date.now();
  const print = (line: string) => process.stdout.write(`${clock(Date.now() - began)}  ${line}\n`);
  const all: Ended[] = [];
  let next = 0;
  const one = async (at: ReleaseFixture, live: string, round: number) => {
    if (live === '') await at.deploy('one', APP_CONFIG);
    const [from, to] = live === 'two' ? ['two', 'one'] : ['one', 'two'];
    const ended = await once(at, to, round);
    all.push(ended);
    print(`rollout ${round + 1}: ${words(ended)}`);
    return ended.phase === 'promoted' ? to : from;
  };
  const work = async () => {
    const at = await startReleases(['web']);
    let live = '';
    let failures = 0;
    try {
      for (let round = next++; round < rounds; ) {
        try {
          live = await one(at, live, round);
          round = next++;
        } catch (error) {
          failures += 1;
          if (failures > MOST_FAILURES) throw error;
          // A machine that is too busy for a deploy says nothing of rollouts: again, from nothing.
          print(`rollout ${round + 1}: once more, after ${asFailure(error).message}`);
          await at.clean();
          live = '';
        }
      }
    } finally {
      await at.stop();
    }
  };
  const done = await Promise.allSettled(Array.from({ length: hosts }, work));
  print(summary(all));
  const gone = done.flatMap((host) => (host.status === 'rejected' ? [host.reason] : []));
  if (gone.length > 0) throw new AggregateError(gone, `${gone.length} of the hosts gave up`);
}

async function once(at: ReleaseFixture, candidate: string, round: number): Promise<Ended> {
  const rate = RATES[round % RATES.length] as number;
  const site = SITES[Math.floor(round / RATES.length) % SITES.length] as Site;
  const visitors = startVisitors({ address: at.addresses[0] ?? '', path, rate, ...site });
  try {
    const { rollout } = await at.deploy(candidate, APP_CONFIG, {
      canary: STEPS[round % STEPS.length] as readonly number[],
    });
    if (rollout === undefined) throw new Error('there was nothing to let it in beside');
    const last = await followRollout(rollout.host, APP, at.context, () => {});
    if (last === undefined) throw new Error('it told nothing');
    const { phase } = last;
    if (phase === 'running' || phase === 'paused') throw new Error(`it is ${phase} at its end`);
    if (phase === 'held') {
      await tellRollout(rollout.host, APP, 'abort', at.context);
      await followRollout(rollout.host, APP, at.context, () => {});
    }
    return {
      phase,
      seconds: (Date.parse(last.at) - Date.parse(last.began)) / 1000,
      visitors: last.sides.candidate.visitors,
      why: phase === 'held' ? `not shown no worse: ${unclear(last)}` : (last.events.at(-1)?.why ?? ''),
      ...(await visitors.stop()),
    };
  } finally {
    await visitors.stop();
  }
}

function unclear({ metrics }: RolloutStatus): string {
  return metrics.flatMap(({ name, cleared }) => (cleared ? [] : [name])).join(', ');
}

/**
 * Some milliseconds; one answer in thirty takes long, one visitor in ten waits longer, one in fifty fails.
 */
function path(visitor: number, count: number): string {
  const own = visitor % 10 === 3 ? 6 : visitor % 3;
  const ms = 4 + own + ((count * 31 + visitor * 17) % 8) + ((count + visitor) % 30 === 11 ? 60 : 0);
  const fails = visitor % 50 === 7 && count % 3 === 1;
  return `/?ms=${ms}${fails ? '&status=500' : ''}`;
}

function words({ phase, seconds, visitors, why, requests, dropped }: Ended): string {
  return (
    `${phase} after ${Math.round(seconds)} s, ${visitors} visitors of it, ` +
    `${requests} requests, ${dropped} dropped: ${why}`
  );
}

function summary(all: readonly Ended[]): string {
  const count = (phase: Phase) => all.filter((one) => one.phase === phase).length;
  const back = count('taken back');
  const sum = (what: (one: Ended) => number) => all.reduce((total, one) => total + what(one), 0);
  return (
    `${all.length} rollouts of a version against itself: taken back ${back} ` +
    `(≤ ${(100 * upperLimit(back, all.length)).toFixed(2)} %), promoted ${count('promoted')}, ` +
    `held ${count('held')}; ${sum(({ requests }) => requests)} requests, ` +
    `${sum(({ dropped }) => dropped)} dropped`
  );
}

function clock(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  return `${minutes}:${String(Math.floor(ms / 1000) % 60).padStart(2, '0')}`;
}
