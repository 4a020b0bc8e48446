/**
 * Results other than tests of a tolerance: the distance of whole distributions, and events without a
 * denominator.
 */
import type { Evidence, MetricResult, MetricSettings, SequentialConfig } from '../types.ts';
import { alphaShare, orderTolerance } from './config.ts';
import { type DistributionState, distance } from './distribution.ts';
import type { EventState } from './gauges.ts';
import { orderEvidence } from './order.ts';
import { peakEvidence } from './wealth.ts';
import { number, odds, percent, samples } from './words.ts';

/**
 * C of the distribution functions' band for α/2 = 0.005 on each side (Howard & Ramdas 2022, after theorem 2).
 */
const BAND_CONSTANT = 9.783;
const BAND_LEVEL = 0.99;

/**
 * How far apart the latency distributions are as wholes. Watched, it fails a candidate that is slower than
 * tolerated anywhere in the distribution (order.ts); informative, it only says whether they differ.
 */
export function distanceResult(state: DistributionState, config: SequentialConfig): MetricResult {
  const counts = { baseline: Math.round(state.baseline.total), candidate: Math.round(state.candidate.total) };
  const settings = config.metrics['latency-distribution'];
  const share = alphaShare(config, settings);
  const base = {
    name: 'latency distribution',
    kind: 'latency-distribution' as const,
    role: settings.role,
    critical: false,
    weight: settings.role === 'informative' ? 0 : share,
    observed: { baseline: null, candidate: null },
    unit: 'share',
    level: BAND_LEVEL,
    samples: counts,
    sampleUnit: 'answers',
    evidence: null,
    needsRequests: null,
  };
  const found = distance(state, BAND_CONSTANT);
  if (found === null) {
    const reason = `Nothing to compare: ${samples(counts, 'answers')}.`;
    return { ...base, verdict: 'no data', effect: null, interval: null, reason };
  }
  const low = Math.max(0, found.distance - found.uncertainty);
  const high = Math.min(1, found.distance + found.uncertainty);
  const finding =
    `The distribution functions of latency are up to ${percent(found.distance)} apart ` +
    `(${percent(BAND_LEVEL)} interval: ` +
    `${percent(low)} to ${percent(high)}), over ${samples(counts, 'answers')}.`;
  const effect = {
    name: 'largest distance of the distribution functions',
    scale: 'difference' as const,
    value: found.distance,
  };
  const compared = { ...base, effect, interval: [low, high] as const };
  const differs = found.candidateHigher ? 'slower' : 'faster';
  const band = low > 0 ? differs : high <= settings.absolute ? 'close' : 'unknown';
  if (state.order === null) {
    const verdict = ({ slower: 'high', faster: 'low', close: 'pass', unknown: 'inconclusive' } as const)[
      band
    ];
    return { ...compared, verdict, reason: `${finding} ${bandWords(band, settings.absolute)}` };
  }
  const evidence = {
    worse: orderEvidence(state.order),
    worseThreshold: -Math.log(share * config.alpha),
    noWorse: 0,
    noWorseThreshold: -Math.log(config.promoteAlpha),
    lower: 0,
  };
  const judged = orderVerdict(evidence, band);
  const words = orderWords(evidence, percent(orderTolerance(config)?.tolerance ?? settings.tolerance));
  const also = judged === 'high' ? '' : ` ${bandWords(band, settings.absolute)}`;
  return { ...compared, verdict: judged, evidence, reason: `${finding} ${words}${also}` };
}

/** What the band around both distribution functions says. */
type Band = 'slower' | 'faster' | 'close' | 'unknown';

function bandWords(band: Band, close: number): string {
  return {
    slower: 'They differ, the candidate being slower where they differ most.',
    faster: 'They differ, the candidate being faster where they differ most.',
    close: `They are practically the same: not further apart than ${percent(close)}.`,
    unknown: `Neither that they differ nor that they are within ${percent(close)} is certain.`,
  }[band];
}

function orderVerdict(
  { worse, worseThreshold }: Evidence,
  band: Band,
): 'high' | 'low' | 'pass' | 'inconclusive' {
  if (worse >= worseThreshold) return 'high';
  return ({ slower: 'inconclusive', faster: 'low', close: 'pass', unknown: 'inconclusive' } as const)[band];
}

function orderWords({ worse, worseThreshold }: Evidence, tolerated: string): string {
  return (
    `The evidence that the candidate is slower by more than the tolerated ${tolerated} anywhere in the ` +
    `distribution is ${odds(worse)}; ${odds(worseThreshold)} ${worse >= worseThreshold ? 'was' : 'is'} needed.`
  );
}

/**
 * If one side's events were counted in less than this share of the other's seconds, counts do not compare.
 */
const COUNTED_SHARE = 0.5;

/** Restarts and error lines: how many on either side, and whether blocks of time tell the sides apart. */
export function eventResult(
  name: string,
  kind: 'restarts' | 'error-lines',
  state: EventState,
  config: SequentialConfig,
  settings: MetricSettings = config.metrics[kind],
): MetricResult {
  const { baseline, candidate, seconds, counted } = state;
  const share = alphaShare(config, settings);
  const base = {
    name,
    kind,
    role: settings.role,
    critical: settings.role === 'critical',
    weight: settings.role === 'informative' ? 0 : share,
    observed: { baseline, candidate },
    unit: name,
    effect: {
      name: `difference of ${name}, candidate − baseline`,
      scale: 'difference' as const,
      value: candidate - baseline,
    },
    interval: null,
    level: config.intervalLevel,
    samples: { baseline: seconds, candidate: seconds },
    sampleUnit: 'seconds',
    needsRequests: null,
  };
  const evidence = eventEvidence(state, share, config);
  const isAlarm = evidence.worse >= evidence.worseThreshold;
  if (!isAlarm && isOneSided(counted)) {
    const reason =
      `${capital(name)} were counted for ${number(counted.baseline)} s of the baseline and ` +
      `${number(counted.candidate)} s of the candidate: there is nothing to compare.`;
    return { ...base, verdict: 'no data', effect: null, evidence: null, reason };
  }
  const finding =
    `${number(candidate)} ${candidate === 1 ? name.replace(/s$/, '') : name} of the candidate, ` +
    `${number(baseline)} of the baseline in ${number(seconds)} s.`;
  // The first block may still be open; complete ones are bet on unless traffic was unequal.
  if (state.tested === 0 && seconds > config.gaugeBlockSeconds) {
    const reason = `${finding} Not tested: under unequal traffic their number tells nothing.`;
    return { ...base, verdict: 'inconclusive', evidence: null, reason };
  }
  const verdict = eventVerdict(state, evidence);
  return { ...base, verdict, evidence, reason: `${finding} ${eventWords(verdict, evidence)}` };
}

function isOneSided({ baseline, candidate }: EventState['counted']): boolean {
  const [less, more] = [Math.min(baseline, candidate), Math.max(baseline, candidate)];
  return less === 0 || less < COUNTED_SHARE * more;
}

function eventEvidence({ bets }: EventState, share: number, config: SequentialConfig): Evidence {
  return {
    worse: peakEvidence(bets.wealth, 0),
    worseThreshold: -Math.log(share * config.alpha),
    noWorse: 0,
    noWorseThreshold: -Math.log(config.promoteAlpha),
    lower: peakEvidence(bets.wealth, 1),
  };
}

type EventVerdict = 'high' | 'low' | 'pass' | 'inconclusive';

function eventVerdict({ baseline, candidate }: EventState, evidence: Evidence): EventVerdict {
  if (evidence.worse >= evidence.worseThreshold) return 'high';
  if (evidence.lower >= evidence.worseThreshold) return 'low';
  return candidate <= baseline ? 'pass' : 'inconclusive';
}

function eventWords(verdict: EventVerdict, { worse, worseThreshold }: Evidence): string {
  const [found, needed] = [odds(worse), odds(worseThreshold)];
  return {
    high: `The evidence that the candidate has more is ${found}; ${needed} was needed.`,
    low: 'The candidate has fewer.',
    pass: 'The candidate has no more than the baseline.',
    inconclusive:
      `The candidate has more, but in too few moments to rule out chance: evidence ${found}, ` +
      `${needed} was needed.`,
  }[verdict];
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
