/** From the metrics' results to the verdict on the candidate. */
import type { CanaryVerdict, Experiment, MetricResult, Outcome } from '../types.ts';
import { failureShares } from './failures.ts';
import { isBlind, metricResults } from './metrics.ts';
import { createSequentialJudge, observe, type SequentialState } from './state.ts';
import { about, list, percent } from './words.ts';

/**
 * A side is silent once so many requests should have been its own: chance keeps them away once in three
 * million.
 */
const SILENT_REQUESTS = 15;
/** Requests of each side before both can be called broken for good. */
const BROKEN_REQUESTS = 100;
/** A role's weight in the score. */
const SCORE_WEIGHT = { critical: 4, watched: 2, informative: 1 } as const;
const SEQUENTIAL_NOTE =
  'Traffic went to one side after the other, so whatever else changed in between looks like a difference ' +
  'between the versions: ' +
  'the tests compare the n-th second of one with the n-th second of the other and assume that time made ' +
  'no difference, but for a latency that drifts (hence the wide tolerance). ' +
  'Interleaved traffic needs no such assumption.';

export interface VerdictOptions {
  /** No more data will come: deadline, interruption, end of a recording. */
  readonly ended?: boolean;
}

/** The verdict so far, after any second: its error rates hold over all looks together. */
export function verdict(state: SequentialState, { ended = false }: VerdictOptions = {}): CanaryVerdict {
  const metrics = metricResults(state);
  const seconds = state.firstAt === null || state.lastAt === null ? 0 : state.lastAt - state.firstAt + 1;
  const { deadlineSeconds } = state.config;
  const over = ended || (deadlineSeconds !== null && seconds >= deadlineSeconds);
  const decision = decide(state, metrics);
  return {
    judge: 'sequential',
    verdict: decision.verdict,
    decided: decision.verdict !== 'inconclusive' || decision.hopeless === true || over,
    score: score(metrics, decision.verdict),
    decidedBy: decision.decidedBy,
    reason: decision.reason,
    needs: decision.needs ?? null,
    needsRequests: decision.needsRequests ?? null,
    notes: notes(state, metrics),
    metrics,
    samples: state.requests,
    stoppedAfter: { seconds, requests: state.requests.baseline + state.requests.candidate },
  };
}

/** The verdict about a recorded experiment: `observe` over its seconds, then `verdict`. */
export function judgeExperiment({ config, seconds, ended }: Experiment): CanaryVerdict {
  return verdict(seconds.reduce(observe, createSequentialJudge(config)), { ended });
}

interface Decision {
  readonly verdict: Outcome;
  readonly decidedBy: readonly string[];
  readonly reason: string;
  readonly needs?: string;
  readonly needsRequests?: number | null;
  /** More of the same data would change nothing. */
  readonly hopeless?: boolean;
}

function decide(state: SequentialState, metrics: readonly MetricResult[]): Decision {
  const alarms = metrics.filter((metric) => metric.role !== 'informative' && metric.verdict === 'high');
  if (alarms.length > 0) {
    const reasons = alarms.map((metric) => `${metric.name}: ${metric.reason}`);
    return {
      verdict: 'failed',
      decidedBy: names(alarms),
      reason: `The candidate is worse. ${reasons.join(' ')}`,
    };
  }
  const missing = missingTraffic(state);
  if (missing !== undefined) {
    return { verdict: 'inconclusive', decidedBy: [], reason: missing, needs: 'requests to both sides' };
  }
  if (bothBroken(state)) return broken(state);
  const silent = silentSide(state);
  if (silent !== undefined) {
    return { verdict: 'inconclusive', decidedBy: [], reason: silent, needs: 'requests to both sides' };
  }
  return promote(state, metrics);
}

/** Passed if every critical metric is shown to be no worse, else what is missing. */
function promote(state: SequentialState, metrics: readonly MetricResult[]): Decision {
  const critical = metrics.filter((metric) => metric.critical);
  // What cannot tell versions apart does not stand in the way; a note says so.
  const open = critical.filter((metric) => !isFine(metric) && !isBlind(metric));
  const wait = state.config.minimumSeconds - state.accounts.pairs;
  if (critical.some(isFine) && open.length === 0) {
    if (wait <= 0) {
      const reason =
        `The candidate is shown to be no worse in every critical metric: ` +
        `${list(names(critical.filter(isFine)))}.`;
      return { verdict: 'passed', decidedBy: names(critical.filter(isFine)), reason };
    }
    const reason =
      `Nothing speaks against the candidate, but no pass is given before ` +
      `${state.config.minimumSeconds} s of traffic.`;
    return { verdict: 'inconclusive', decidedBy: [], reason, needs: `${wait} s more traffic` };
  }
  const { needs, needsRequests } = stillMissing(open);
  const reason =
    open.length === 0
      ? 'There is no critical metric with data: nothing can be shown about the candidate.'
      : `Nothing shows that the candidate is worse, but it is not shown to be no worse in ` +
        `${list(names(open))}.`;
  return { verdict: 'inconclusive', decidedBy: names(open), reason, needs, needsRequests };
}

/** No worse, or better. */
const isFine = (metric: MetricResult) => metric.verdict === 'pass' || metric.verdict === 'low';

function stillMissing(open: readonly MetricResult[]): { needs: string; needsRequests: number | null } {
  const empty = open.filter((metric) => metric.verdict === 'no data');
  if (empty.length > 0) return { needs: `data for ${list(names(empty))}`, needsRequests: null };
  const unknown = open.filter((metric) => metric.needsRequests === null);
  if (unknown.length > 0) {
    const what = `more requests than can be told yet, for ${list(names(unknown))}`;
    return { needs: what, needsRequests: null };
  }
  const needsRequests = Math.max(...open.map((metric) => metric.needsRequests ?? 0));
  return { needs: `about ${about(needsRequests)} more requests`, needsRequests };
}

function missingTraffic({ requests }: SequentialState): string | undefined {
  const { baseline, candidate } = requests;
  if (baseline + candidate === 0) return 'No request arrived at either side, so there is nothing to compare.';
  if (candidate === 0)
    return `The candidate got no request at all, the baseline ${baseline}: there is nothing to compare.`;
  if (baseline === 0)
    return `The baseline got no request at all, the candidate ${candidate}: there is nothing to compare.`;
  return undefined;
}

function bothBroken(state: SequentialState): boolean {
  const shares = failureShares(state.accounts.errors5xx.totals);
  return shares !== null && Math.min(shares.baseline, shares.candidate) >= state.config.brokenShare;
}

function broken(state: SequentialState): Decision {
  const { requests, accounts, config } = state;
  const enough = Math.min(requests.baseline, requests.candidate) >= BROKEN_REQUESTS;
  return {
    verdict: 'inconclusive',
    decidedBy: ['errors (5xx)'],
    reason:
      `Both sides are broken: ${brokenWords(state)}. The candidate is no worse than the baseline, ` +
      `but that is no reason to keep it.`,
    needs: 'a baseline that works',
    hopeless: enough && accounts.pairs >= config.minimumSeconds,
  };
}

function brokenWords(state: SequentialState): string {
  const shares = failureShares(state.accounts.errors5xx.totals) ?? { baseline: 0, candidate: 0 };
  return (
    `${percent(shares.baseline)} of the baseline's requests failed and ${percent(shares.candidate)} ` +
    `of the candidate's`
  );
}

/**
 * 0 to 100: the share of metrics with data that are fine, an undecided one counting half, by the weight of
 * their role; a critical metric without data counts as not fine. A failed candidate has 0 where a critical
 * metric failed, else at most 49.
 */
function score(metrics: readonly MetricResult[], outcome: Outcome): number {
  if (outcome === 'failed' && metrics.some((metric) => metric.critical && metric.verdict === 'high'))
    return 0;
  let weight = 0;
  let fine = 0;
  for (const metric of metrics) {
    if (metric.verdict === 'no data' && !metric.critical) continue;
    weight += SCORE_WEIGHT[metric.role];
    if (isFine(metric)) fine += SCORE_WEIGHT[metric.role];
    if (metric.verdict === 'inconclusive') fine += SCORE_WEIGHT[metric.role] / 2;
  }
  const value = weight === 0 ? 0 : Math.round((100 * fine) / weight);
  return outcome === 'failed' ? Math.min(49, value) : value;
}

function notes(state: SequentialState, metrics: readonly MetricResult[]): readonly string[] {
  const silent = silentSide(state);
  const bodies = metrics.find((metric) => metric.kind === 'bodies');
  return [
    ...(bothBroken(state) ? [`Both sides are broken: ${brokenWords(state)}.`] : []),
    ...(state.config.traffic === 'sequential' ? [SEQUENTIAL_NOTE] : []),
    ...(silent === undefined ? [] : [silent]),
    ...(bodies !== undefined && isBlind(bodies)
      ? [
          `The baseline's answers to the same request differ from each other in ` +
            `${percent(bodies.observed.baseline ?? 0)} of the ` +
            'comparisons (clocks, random values?), so bodies cannot tell the versions apart.',
        ]
      : []),
  ];
}

/** Says which side got no more requests though the other one did; only where both take turns at random. */
function silentSide({ config, requests, missed, lastRequestAt }: SequentialState): string | undefined {
  if (config.traffic !== 'interleaved') return undefined;
  for (const [side, other] of [
    ['candidate', 'baseline'],
    ['baseline', 'candidate'],
  ] as const) {
    const share = requests[side] / Math.max(1, requests[side] + requests[other] - missed[side]);
    const last = lastRequestAt[side];
    if (last !== null && missed[side] * share >= SILENT_REQUESTS) {
      return (
        `The ${side} got no request after second ${last + 1}, while the ${other} got ` +
        `${missed[side]}: it may have died there.`
      );
    }
  }
  return undefined;
}

const names = (metrics: readonly MetricResult[]) => metrics.map((metric) => metric.name);
