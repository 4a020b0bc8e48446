/** Results that are no test of a tolerance: the distance of whole distributions, and events without a denominator. */
import type { MetricResult, SequentialConfig } from '../types.ts';
import { alphaShare } from './config.ts';
import { type DistributionState, distance } from './distribution.ts';
import type { EventState } from './gauges.ts';
import { peakEvidence } from './wealth.ts';
import { number, odds, percent, samples } from './words.ts';

/** C of the distribution functions' band for α/2 = 0.005 on each arm (Howard & Ramdas 2022, after theorem 2). */
const BAND_CONSTANT = 9.783;
const BAND_LEVEL = 0.99;

/** How far apart the latency distributions are as wholes. It informs and decides nothing. */
export function distanceResult(state: DistributionState, config: SequentialConfig): MetricResult {
  const counts = { baseline: Math.round(state.baseline.total), candidate: Math.round(state.candidate.total) };
  const base = {
    name: 'latency distribution',
    kind: 'latency-distribution' as const,
    role: 'informative' as const,
    critical: false,
    weight: 0,
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
  const close = config.metrics['latency-distribution'].absolute;
  const differs = found.candidateHigher ? 'high' : 'low';
  const verdict = low > 0 ? differs : high <= close ? 'pass' : 'inconclusive';
  const why = {
    high: 'They differ, the candidate being slower where they differ most.',
    low: 'They differ, the candidate being faster where they differ most.',
    pass: `They are practically the same: not further apart than ${percent(close)}.`,
    inconclusive: `Neither that they differ nor that they are within ${percent(close)} is certain.`,
  }[verdict];
  return {
    ...base,
    verdict,
    effect: {
      name: 'largest distance of the distribution functions',
      scale: 'difference',
      value: found.distance,
    },
    interval: [low, high],
    reason:
      `The distribution functions of latency are up to ${percent(found.distance)} apart (${percent(BAND_LEVEL)} interval: ` +
      `${percent(low)} to ${percent(high)}), over ${samples(counts, 'answers')}. ${why}`,
  };
}

/** Restarts and error lines: how many on either side, and whether blocks of time tell the sides apart. */
export function eventResult(
  name: string,
  kind: 'restarts' | 'error-lines',
  { bets, baseline, candidate, seconds }: EventState,
  config: SequentialConfig,
): MetricResult {
  const settings = config.metrics[kind];
  const share = alphaShare(config, settings);
  const evidence = {
    worse: peakEvidence(bets.wealth, 0),
    worseThreshold: -Math.log(share * config.alpha),
    noWorse: 0,
    noWorseThreshold: -Math.log(config.promoteAlpha),
    lower: peakEvidence(bets.wealth, 1),
  };
  const alarm = evidence.worse >= evidence.worseThreshold;
  const fewer = evidence.lower >= evidence.worseThreshold;
  const verdict = alarm ? 'high' : fewer ? 'low' : candidate <= baseline ? 'pass' : 'inconclusive';
  const why = {
    high: `That the candidate has more has evidence of ${odds(evidence.worse)}; ${odds(evidence.worseThreshold)} was needed.`,
    low: 'The candidate has fewer.',
    pass: 'The candidate has no more than the baseline.',
    inconclusive: `The candidate has more, by what may be chance: evidence ${odds(evidence.worse)}, needed ${odds(evidence.worseThreshold)}.`,
  }[verdict];
  return {
    name,
    kind,
    role: settings.role,
    critical: settings.role === 'critical',
    weight: settings.role === 'informative' ? 0 : share,
    verdict,
    observed: { baseline, candidate },
    unit: name,
    effect: {
      name: `difference of ${name}, candidate − baseline`,
      scale: 'difference',
      value: candidate - baseline,
    },
    interval: null,
    level: config.intervalLevel,
    samples: { baseline: seconds, candidate: seconds },
    sampleUnit: 'seconds',
    evidence,
    needsRequests: null,
    reason: `${number(candidate)} ${candidate === 1 ? name.replace(/s$/, '') : name} of the candidate, ${number(baseline)} of the baseline in ${number(seconds)} s. ${why}`,
  };
}
