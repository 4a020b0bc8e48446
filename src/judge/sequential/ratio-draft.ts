/** The results of what is compared as a ratio: quantiles of latency and size, gauges. */
import type { MetricSettings, PerSide, QuantileSettings, SequentialConfig } from '../types.ts';
import { quantileOf } from './distribution.ts';
import type { DistributionAccount } from './distribution-account.ts';
import type { GaugeState } from './gauges.ts';
import { isPlainQuantile } from './plain-bets.ts';
import { claimEvidence, ratioInterval } from './ratio-claims.ts';
import { type Draft, ratioFinding } from './results.ts';
import type { SymmetricBets } from './symmetric.ts';
import { samples, withUnit } from './words.ts';

export function quantileDraft(
  name: string,
  kind: 'latency' | 'size',
  { distribution }: DistributionAccount,
  index: number,
  settings: QuantileSettings | undefined,
  config: SequentialConfig,
): Draft | undefined {
  const bets = distribution.claims[index];
  const plain = distribution.plain[index];
  if (settings === undefined || bets === undefined || plain === undefined) return undefined;
  const unit = kind === 'latency' ? 'ms' : 'bytes';
  const what = kind === 'latency' ? `${name.split(' ')[1]} latency` : 'median response size';
  const observed = {
    baseline: quantileOf(distribution.baseline, settings.quantile),
    candidate: quantileOf(distribution.candidate, settings.quantile),
  };
  const counts = {
    baseline: Math.round(distribution.baseline.total),
    candidate: Math.round(distribution.candidate.total),
  };
  const base = {
    name,
    kind,
    settings,
    unit,
    observed,
    samples: counts,
    sampleUnit: 'answers',
    worseWords: kind === 'latency' ? 'is slower' : 'answers with larger bodies',
  };
  const draft = ratioDraft(base, what, bets, observed, config);
  if (draft.strength === null || !isPlainQuantile(settings.quantile)) return draft;
  return { ...draft, strength: { ...draft.strength, worse: plain.peak } };
}

export function gaugeDraft(
  name: string,
  kind: 'cpu' | 'memory',
  state: GaugeState,
  config: SequentialConfig,
): Draft {
  const mean = (sum: number) => (state.blocks === 0 ? null : sum / state.blocks);
  const observed = { baseline: mean(state.baselineSum), candidate: mean(state.candidateSum) };
  const base = {
    name,
    kind,
    settings: config.metrics[kind],
    unit: kind === 'cpu' ? 'ms per request' : 'bytes',
    observed,
    samples: { baseline: state.blocks, candidate: state.blocks },
    sampleUnit: 'blocks',
    worseWords: 'takes more',
  };
  return ratioDraft(
    base,
    kind === 'cpu' ? 'CPU time for each request' : 'memory',
    state.claims,
    observed,
    config,
  );
}

/** A gauge of the application's own; `what`: how a sentence names it. The result's kind is the caller's. */
export function ownDraft(
  name: string,
  what: string,
  state: GaugeState,
  settings: MetricSettings,
  config: SequentialConfig,
): Draft {
  const mean = (sum: number) => (state.blocks === 0 ? null : sum / state.blocks);
  const observed = { baseline: mean(state.baselineSum), candidate: mean(state.candidateSum) };
  const samples = { baseline: state.blocks, candidate: state.blocks };
  const base = { name, kind: 'memory' as const, settings, unit: '', observed, samples };
  const words = { sampleUnit: 'blocks', worseWords: 'has more' };
  return ratioDraft({ ...base, ...words }, what, state.claims, observed, config);
}

function ratioDraft(
  base: Omit<Draft, 'effect' | 'interval' | 'strength' | 'finding'>,
  what: string,
  bets: SymmetricBets,
  observed: PerSide<number | null>,
  config: SequentialConfig,
): Draft {
  const { baseline, candidate } = observed;
  if (baseline === null || candidate === null) {
    const after = config.warmupSeconds > 0 ? ` after the warm-up of ${config.warmupSeconds} s` : '';
    const finding = `Nothing to compare: ${samples(base.samples, base.sampleUnit)}${after}.`;
    return { ...base, effect: null, interval: null, strength: null, finding };
  }
  const value = baseline > 0 ? candidate / baseline : null;
  const effect = { name: `ratio of ${what}, candidate to baseline`, scale: 'ratio' as const, value };
  const ends = ratioInterval(bets, config.intervalLevel);
  return {
    ...base,
    effect,
    interval: ends,
    strength: claimEvidence(bets),
    finding:
      `The candidate's ${what} is ${withUnit(candidate, base.unit)}, the baseline's ` +
      `${withUnit(baseline, base.unit)}: ` +
      `${ratioFinding(effect, ends, config.intervalLevel)}, over ${samples(base.samples, base.sampleUnit)}.`,
  };
}
