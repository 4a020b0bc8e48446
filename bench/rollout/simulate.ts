/** One rollout of a version on a simulated site, by the code that runs on hosts. */
import { Episodes } from '../../src/rollout/episodes.ts';
import { beginState, next, type Reason, type RolloutPlan } from '../../src/rollout/next.ts';
import { seeded } from '../judge/random.ts';
import { type Request, SAME, Site, type Version, type World } from './world.ts';

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
  /** What makes a visitor the same one; default visitor. */
  readonly by?: 'visitor' | 'address' | 'request';
  /** It takes no step, for all the time. */
  readonly paused?: boolean;
  /** How much slower the candidate is at first; the first hundred answers warm it. */
  readonly cold?: number;
}

const PAUSE = { word: 'pause', by: 'somebody' } as const;
const WELL = { baseline: null, candidate: null };

export function rollout(setting: Setting, seed: number): Outcome {
  const { candidate, steps, atMost, paused = false, cold = 1 } = setting;
  const plan: RolloutPlan = { steps, alpha: 0.01, atMost, otherwise: 'hold' };
  const site = visited(setting.world, seed);
  const log = new Log(setting.by ?? 'visitor');
  let percent = steps[0] ?? 100;
  const episodes = new Episodes(setting.by ?? 'visitor', percent);
  let state = beginState(plan);
  let reason: Reason | null = null;
  let second = 0;
  while (state.phase === 'running' || (state.phase === 'paused' && second < atMost)) {
    const warmth = 1 + (cold - 1) * Math.exp(-episodes.counted.candidate.requests / 50);
    log.add(second, site.second(percent, candidate, warmth));
    second++;
    for (const request of log.until(second)) episodes.take(request);
    const word = paused && second === 1 ? PAUSE : null;
    const after = next(plan, state, { seconds: 1, events: episodes.until(second), unwell: WELL, word });
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

/** A site that people are on already. */
export function visited(world: World, seed: number): Site {
  const site = new Site(seeded(seed), world);
  for (let second = 0; second < 60; second++) site.second(0, SAME, 1);
  return site;
}

type Line = Parameters<Episodes['take']>[0];

/** A request is told once it has been answered. */
class Log {
  readonly #by: NonNullable<Setting['by']>;
  readonly #known = new Set<number>();
  readonly #late = new Map<number, Line[]>();
  #count = 0;

  constructor(by: NonNullable<Setting['by']>) {
    this.#by = by;
  }

  add(second: number, requests: readonly Request[]): void {
    for (const { visitor, side, failed, ms } of requests) {
      // nginx gives the cookie with the answer, but who asks twice meanwhile is a rare one.
      const how = this.#by === 'visitor' ? (this.#known.has(visitor) ? 'known' : 'new') : this.#by;
      this.#known.add(visitor);
      const unit = nameOf(this.#by === 'request' ? this.#count++ : visitor);
      const at = second + 1 + Math.floor(ms / 1000);
      const lines = this.#late.get(at) ?? [];
      lines.push({ unit, side, how, status: failed ? 500 : 200, milliseconds: ms, upstreamStatus: '' });
      this.#late.set(at, lines);
    }
  }

  until(second: number): readonly Line[] {
    const lines = this.#late.get(second) ?? [];
    this.#late.delete(second);
    return lines;
  }
}

/** As `unitOf` names them: nothing can be read from it. */
function nameOf(visitor: number): string {
  const mixed = Math.imul(visitor + 1, 0x9e3779b1) >>> 0;
  return mixed.toString(16).padStart(8, '0') + visitor.toString(16);
}
