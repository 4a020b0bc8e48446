/** Two releases as the monitor recorded them, for Kayenta's judge. */

import { Failure } from '../errors.ts';
import type { ReleasePoint } from '../hub/charts/compare.ts';
import type { Caller } from './caller.ts';
import { askHub, withMonitor } from './place.ts';

export interface HubComparison {
  readonly app: string;
  readonly baseline: string;
  readonly candidate: string;
  /** Seconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly stepSeconds: number;
}

interface Recorded {
  readonly baseline: readonly ReleasePoint[];
  readonly candidate: readonly ReleasePoint[];
}

/** What is compared: errors may fail a release alone, latency weighs most of the rest. */
const METRICS = [
  { name: 'errors (5xx)', group: 'errors', of: 'errors', direction: 'increase', critical: true },
  { name: 'latency p50', group: 'latency', of: 'p50', direction: 'increase', critical: false },
  { name: 'latency p90', group: 'latency', of: 'p90', direction: 'increase', critical: false },
  { name: 'latency p99', group: 'latency', of: 'p99', direction: 'increase', critical: false },
  { name: 'size of answers', group: 'size', of: 'size', direction: 'either', critical: false },
] as const;
const WEIGHTS = { errors: 40, latency: 50, size: 10 };
const THRESHOLDS = { pass: 95, marginal: 75 };
/** Fewer values tell the Mann-Whitney test nothing. */
const LEAST = 10;

/** The document that Kayenta's remote judge takes. Pure. */
export function documentOf(wanted: HubComparison, recorded: Recorded): unknown {
  const tags = { app: wanted.app };
  return {
    canaryConfig: {
      name: `${wanted.app}: ${wanted.baseline} and ${wanted.candidate}`,
      metrics: METRICS.map(({ name, group, direction, critical }) => ({
        name,
        groups: [group],
        analysisConfigurations: { canary: { direction, critical, nanStrategy: 'remove' } },
      })),
      classifier: { groupWeights: WEIGHTS, scoreThresholds: THRESHOLDS },
    },
    scoreThresholds: THRESHOLDS,
    metricSetPairList: METRICS.map(({ name, of }) => ({
      name,
      id: name,
      tags,
      values: {
        control: recorded.baseline.map((point) => point[of]),
        experiment: recorded.candidate.map((point) => point[of]),
      },
    })),
  };
}

/** What a reader must know of data that nobody planned; empty where there is nothing. Pure. */
export function caveat(recorded: Recorded): string {
  const times = new Set(recorded.baseline.map(({ at }) => at));
  const together = recorded.candidate.filter(({ at }) => times.has(at)).length;
  return together * 2 >= recorded.candidate.length
    ? ''
    : 'The two did not serve at the same time: what else changed in between (load, time of day) counts ' +
        'as theirs. `pipeline canary` compares side by side.';
}

/** @throws Failure `usage` where one of them answered too little in the time */
export function recordedByHub(
  wanted: HubComparison,
  inventory: string | undefined,
  caller: Caller,
): Promise<Recorded> {
  const { app, baseline, candidate, start, end, stepSeconds } = wanted;
  return withMonitor(inventory, caller, async (connection) => {
    const args = [
      'compare',
      app,
      baseline,
      candidate,
      String(start * 1000),
      String(end * 1000),
      String(stepSeconds * 1000),
    ];
    const recorded = (await askHub(connection, args, caller)) as Recorded;
    for (const [side, release] of [
      ['baseline', baseline],
      ['candidate', candidate],
    ] as const)
      if (recorded[side].length < LEAST)
        throw new Failure(
          'usage',
          `${app} ${release} answered requests in ${recorded[side].length} steps of ${stepSeconds} s; ` +
            `a comparison needs ${LEAST}`,
          {
            next:
              'Take a longer time (--last) or shorter steps (--step); pipeline releases names the ' +
              'releases.',
          },
        );
    return recorded;
  });
}
