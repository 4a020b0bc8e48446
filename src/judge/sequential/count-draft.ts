/** The result of a rate: errors, wrong bodies. */
import type { SequentialConfig } from '../types.ts';
import { type CountState, differenceInterval, lowerCount, noWorseCount, worseCount } from './counts.ts';
import type { Draft } from './results.ts';
import { interval, number, percent, points, samples } from './words.ts';

const RATE_WORDS: Readonly<
  Record<'errors-5xx' | 'errors-4xx' | 'bodies', { event: string; of: string; worse: string }>
> = {
  'errors-5xx': { event: 'failed or went unanswered', of: 'requests', worse: 'fails more often' },
  'errors-4xx': { event: 'were refused with a 4xx', of: 'requests', worse: 'refuses more often' },
  bodies: {
    event: "differed from the baseline's",
    of: 'compared answers',
    worse: 'answers wrongly more often',
  },
};

export function countDraft(
  name: string,
  kind: 'errors-5xx' | 'errors-4xx' | 'bodies',
  state: CountState,
  config: SequentialConfig,
): Draft {
  const { candidateTrials, candidateEvents, baselineTrials, baselineEvents } = state.totals;
  const words = RATE_WORDS[kind];
  const sampleUnit = kind === 'bodies' ? 'comparisons' : 'requests';
  const base = {
    name,
    kind,
    settings: config.metrics[kind],
    unit: 'share',
    samples: { baseline: baselineTrials, candidate: candidateTrials },
    sampleUnit,
    worseWords: words.worse,
  };
  if (candidateTrials === 0 || baselineTrials === 0) {
    const observed = {
      baseline: baselineTrials === 0 ? null : baselineEvents / baselineTrials,
      candidate: candidateTrials === 0 ? null : candidateEvents / candidateTrials,
    };
    const finding = `Nothing to compare: ${samples(base.samples, sampleUnit)}.`;
    return { ...base, observed, effect: null, interval: null, strength: null, finding };
  }
  const observed = {
    baseline: baselineEvents / baselineTrials,
    candidate: candidateEvents / candidateTrials,
  };
  const value = observed.candidate - observed.baseline;
  const ends = including(value, differenceInterval(state, config.intervalLevel));
  const side = (events: number, trials: number, share: number) =>
    `${number(events)} of ${number(trials)} (${percent(share)})`;
  return {
    ...base,
    observed,
    effect: {
      name: `difference of the share of ${words.of}, candidate − baseline`,
      scale: 'difference',
      value,
    },
    interval: ends,
    strength: { worse: worseCount(state), lower: lowerCount(state), noWorse: noWorseCount(state) },
    finding:
      `Of the candidate's ${words.of}, ${side(candidateEvents, candidateTrials, observed.candidate)} ` +
      `${words.event}, ` +
      `of the baseline's ${side(baselineEvents, baselineTrials, observed.baseline)}: ` +
      `${points(value)}${interval({ interval: ends, level: config.intervalLevel }, points)}.`,
  };
}

/**
 * Bets assume one difference all the time; if it changed, the measured one may lie outside. A wider interval
 * is still valid.
 */
function including(
  value: number,
  [low, high]: readonly [number | null, number | null],
): readonly [number | null, number | null] {
  return [low === null ? null : Math.min(low, value), high === null ? null : Math.max(high, value)];
}
