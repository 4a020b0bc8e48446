/** Single runs of both judges on simulated experiments. */
import {
  createSequentialJudge,
  defaultSequentialConfig,
  judgeKayenta,
  observe,
  type Second,
  toKayentaDocument,
  verdict,
} from '../../src/judge/index.ts';
import { type Behaviour, ORDINARY, type Scenario, simulate } from './simulate.ts';

/**
 * Both sides together; the deciding figures are requests, which another rate only takes sooner or later.
 */
const RATE = 100;
const SAME_VERSION_SECONDS = 120;
const MINUTE = 60;

/** A version against itself, for the whole two minutes, whatever was decided before. */
export interface SameVersionRun {
  /** Metrics with an alarm; those of critical and watched ones fail the canary. */
  readonly alarms: readonly string[];
  /** Informative metrics that are called different. */
  readonly informed: readonly string[];
  readonly outcome: string;
  /** Kayenta said other than Pass after the first minute, the second, or both. */
  readonly kayentaObjects: boolean;
}

export function sameVersion(
  seed: number,
  circumstances: Pick<Scenario, 'ownNoise' | 'traffic'> = {},
): SameVersionRun {
  const same = { seconds: SAME_VERSION_SECONDS, rate: RATE, baseline: ORDINARY, candidate: ORDINARY };
  const seconds = [...simulate({ ...same, ...circumstances }, seed)];
  const { traffic = 'interleaved' } = circumstances;
  const said = verdict(seconds.reduce(observe, createSequentialJudge({ traffic })), { ended: true });
  const different = said.metrics.filter((metric) => metric.verdict === 'high' || metric.verdict === 'low');
  return {
    alarms: said.metrics.filter((m) => m.role !== 'informative' && m.verdict === 'high').map((m) => m.name),
    informed: different.filter((metric) => metric.role === 'informative').map((metric) => metric.name),
    outcome: said.verdict,
    kayentaObjects: [MINUTE, 2 * MINUTE].some((end) => kayentaObjects(seconds.slice(0, end))),
  };
}

/** A regression, until each judge found it. */
export interface DetectionRun {
  /**
   * Requests until the sequential judge failed the candidate; null where it passed it or had not decided at
   * the end.
   */
  readonly sequential: number | null;
  readonly passed: boolean;
  /** Requests until Kayenta's judge, asked after every minute, did not pass it; null where it always did. */
  readonly kayenta: number | null;
}

export function detection(
  baseline: Partial<Behaviour>,
  candidate: Partial<Behaviour>,
  limit: number,
  seed: number,
): DetectionRun {
  const scenario: Scenario = {
    seconds: limit,
    rate: RATE,
    baseline: { ...ORDINARY, ...baseline },
    candidate: { ...ORDINARY, ...candidate },
  };
  let state = createSequentialJudge();
  let decided: 'passed' | 'failed' | undefined;
  let sequential: number | null = null;
  let kayenta: number | null = null;
  const seconds: Second[] = [];
  let requests = 0;
  for (const second of simulate(scenario, seed)) {
    seconds.push(second);
    requests += requestsIn(second);
    if (decided === undefined) {
      state = observe(state, second);
      const said = verdict(state);
      if (said.verdict === 'failed') sequential = requests;
      if (said.verdict !== 'inconclusive') decided = said.verdict;
    }
    if (kayenta === null && seconds.length % MINUTE === 0 && kayentaObjects(seconds)) kayenta = requests;
    if (decided !== undefined && kayenta !== null) break;
  }
  return { sequential, passed: decided === 'passed', kayenta };
}

/** Kayenta's judge at one-minute points, with everything from the first second: it knows no warm-up. */
function kayentaObjects(seconds: readonly Second[]): boolean {
  const config = { ...defaultSequentialConfig, warmupSeconds: 0 };
  const answer = judgeKayenta(toKayentaDocument({ config, seconds, ended: true }, MINUTE));
  return answer.score.classification !== 'Pass';
}

function requestsIn(second: Second): number {
  const sides = [second.baseline, second.candidate];
  return sides.flatMap((side) => Object.values(side.routes)).reduce((sum, route) => sum + route.requests, 0);
}
