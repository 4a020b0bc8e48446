/** One rollout of a version on a simulated site, by the code that runs on hosts. */
import { Episodes } from '../../src/rollout/episodes.ts';
import { beginState, next, type Reason, type RolloutPlan } from '../../src/rollout/next.ts';
import { seeded } from '../judge/random.ts';
import { SAME, Site, type Version, type World } from './world.ts';

export interface Outcome {
  readonly phase: string;
  readonly reason: Reason | null;
  readonly seconds: number;
  /** What the candidate was given, until the end. */
  readonly requests: number;
  readonly visitors: number;
  /** Failed answers that visitors of the candidate saw. */
  readonly failed: number;
  /** The share at the end. */
  readonly percent: number;
}

export interface Setting {
  readonly world: World;
  readonly candidate: Version;
  readonly steps: readonly number[];
  readonly atMost: number;
  /** It takes no step, for all the time. */
  readonly paused?: boolean;
  /** How much slower the candidate is in its first requests, going to 1 within the first half minute. */
  readonly cold?: number;
}

const PAUSE = { word: 'pause', by: 'somebody' } as const;
const WELL = { baseline: null, candidate: null };

export function rollout(
  { world, candidate, steps, atMost, paused = false, cold = 1 }: Setting,
  seed: number,
): Outcome {
  const plan: RolloutPlan = { steps, alpha: 0.01, atMost, otherwise: 'hold' };
  const site = new Site(seeded(seed), world);
  // The site has been visited before.
  for (let second = 0; second < 60; second++) site.second(0, SAME, 1);
  const known = new Set<number>();
  let percent = steps[0] ?? 100;
  const episodes = new Episodes('visitor', percent);
  let state = beginState(plan);
  let reason: Reason | null = null;
  let second = 0;
  while (state.phase === 'running' || (state.phase === 'paused' && second < atMost)) {
    second++;
    const warmth = 1 + (cold - 1) * Math.exp(-second / 10);
    for (const { visitor, side, failed, ms } of site.second(percent, candidate, warmth)) {
      const how = known.has(visitor) ? 'known' : 'new';
      known.add(visitor);
      const unit = nameOf(visitor);
      episodes.take({ unit, side, how, status: failed ? 500 : 200, milliseconds: ms, upstreamStatus: '' });
    }
    const seen = {
      seconds: 1,
      events: episodes.until(second),
      unwell: WELL,
      word: paused && second === 1 ? PAUSE : null,
    };
    const after = next(plan, state, seen);
    state = after.state;
    if (after.act === null) continue;
    reason = after.act.reason;
    if (after.act.kind !== 'step') continue;
    percent = after.act.percent;
    episodes.share = percent;
  }
  const { requests, visitors, failed } = episodes.counted.candidate;
  return { phase: state.phase, reason, seconds: second, requests, visitors, failed, percent };
}

/** As `unitOf` names them: nothing can be read from it. */
function nameOf(visitor: number): string {
  return (
    Math.imul(visitor + 1, 0x9e3779b1)
      .toString(16)
      .replace('-', '')
      .padStart(8, '0') + visitor.toString(16)
  );
}
