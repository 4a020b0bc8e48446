/** From the state to one result for each metric. */
import type {
  Effect,
  Evidence,
  MetricKind,
  MetricResult,
  MetricSettings,
  PerVariant,
  SequentialConfig,
} from '../types.ts';
import { alphaShare } from './config.ts';
import { interval, odds, percent, ratio as ratioWords } from './words.ts';

/** What the label of a metric is decided from: log e-values. */
export interface ClaimStrength {
  readonly worse: number;
  readonly lower: number;
  readonly noWorse: { readonly peak: number; readonly current: number };
}

/** Everything of a result but what follows from it. */
export interface Draft {
  readonly name: string;
  readonly kind: MetricKind;
  readonly route?: string;
  readonly settings: MetricSettings;
  /** Share of α; absent: by the settings' weight. */
  readonly share?: number;
  readonly observed: PerVariant<number | null>;
  readonly unit: string;
  readonly effect: Effect | null;
  readonly interval: MetricResult['interval'];
  readonly samples: PerVariant<number>;
  readonly sampleUnit: string;
  /** null: no data. */
  readonly strength: ClaimStrength | null;
  /** What was compared and measured, as a sentence. */
  readonly finding: string;
  /** What being worse is called: `fails more often`, `is slower`. */
  readonly worseWords: string;
}

/** The label, and the sentence that says why. */
export function finish(draft: Draft, config: SequentialConfig, requests: number): MetricResult {
  const share = draft.share ?? alphaShare(config, draft.settings);
  const evidence = draft.strength === null ? null : evidenceOf(draft.strength, share, config);
  const verdict = evidence === null ? 'no data' : label(evidence);
  const result: Omit<MetricResult, 'reason' | 'needsRequests'> = {
    name: draft.name,
    kind: draft.kind,
    ...(draft.route === undefined ? {} : { route: draft.route }),
    role: draft.settings.role,
    critical: draft.settings.role === 'critical',
    weight: draft.settings.role === 'informative' ? 0 : share,
    verdict,
    observed: draft.observed,
    unit: draft.unit,
    effect: draft.effect,
    interval: draft.interval,
    level: config.intervalLevel,
    samples: draft.samples,
    sampleUnit: draft.sampleUnit,
    evidence,
  };
  const needsRequests =
    verdict === 'inconclusive' && draft.strength !== null && evidence !== null
      ? stillNeeded(draft.strength, evidence, requests)
      : null;
  const reason =
    evidence === null ? draft.finding : `${draft.finding} ${judgement(verdict, evidence, draft)}`;
  return { ...result, needsRequests, reason };
}

function evidenceOf(
  { worse, lower, noWorse }: ClaimStrength,
  share: number,
  config: SequentialConfig,
): Evidence {
  return {
    worse,
    worseThreshold: -Math.log(share * config.alpha),
    noWorse: noWorse.peak,
    noWorseThreshold: -Math.log(config.promoteAlpha),
    lower,
  };
}

function label({
  worse,
  worseThreshold,
  noWorse,
  noWorseThreshold,
  lower,
}: Evidence): MetricResult['verdict'] {
  if (worse >= worseThreshold) return 'high';
  if (lower >= worseThreshold) return 'low';
  return noWorse >= noWorseThreshold ? 'pass' : 'inconclusive';
}

function judgement(verdict: MetricResult['verdict'], evidence: Evidence, draft: Draft): string {
  const { worse, worseThreshold, noWorse, noWorseThreshold, lower } = evidence;
  const { worseWords } = draft;
  const { tolerance } = draft.settings;
  const beyond = tolerance > 0 ? ` by more than the tolerated ${percent(tolerance)}` : '';
  switch (verdict) {
    case 'high':
      return `That the candidate ${worseWords}${beyond} has evidence of ${odds(worse)}; ${odds(worseThreshold)} was needed.`;
    case 'low':
      return `That the candidate is lower${beyond} has evidence of ${odds(lower)}; ${odds(worseThreshold)} was needed.`;
    case 'pass':
      return `That it is not worse by ${marginWords(draft)} has evidence of ${odds(noWorse)}; ${odds(noWorseThreshold)} was needed.`;
    default:
      return (
        `Undecided: that the candidate ${worseWords}${beyond} has evidence of ${odds(worse)} (needed ${odds(worseThreshold)}), ` +
        `that it is not worse by ${marginWords(draft)} ${odds(noWorse)} (needed ${odds(noWorseThreshold)}).`
      );
  }
}

function marginWords({ settings, unit }: Draft): string {
  const { margin, absolute } = settings;
  if (unit === 'share')
    return `${percent(absolute)} of the requests or by ${percent(margin)} of the baseline's share`;
  const floor =
    absolute === 0 ? '' : ` (at least ${unit === 'bytes' ? `${absolute} bytes` : `${absolute} ${unit}`})`;
  return `${percent(margin)}${floor}`;
}

/**
 * Requests that are probably still needed for a pass, if the evidence goes on growing as it did; null where it does not grow. The starting
 * cost of hedging between strategies, about one unit, is not part of the growth.
 */
function stillNeeded({ noWorse }: ClaimStrength, evidence: Evidence, requests: number): number | null {
  const growth = (noWorse.current + 1) / requests;
  if (!(growth > 0)) return null;
  const needed = (evidence.noWorseThreshold - noWorse.current) / growth;
  return needed > 1e7 ? null : Math.max(10, Math.ceil(needed));
}

/** `20 % higher (95 % interval: …)`, or `unknown`. */
export function ratioFinding(effect: Effect, ends: MetricResult['interval'], level: number): string {
  if (effect.value === null) return 'not comparable';
  return `${ratioWords(effect.value)}${interval({ interval: ends, level }, ratioWords)}`;
}
