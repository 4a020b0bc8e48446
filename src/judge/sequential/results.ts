/** From the state to one result for each metric. */
import type {
  Effect,
  Evidence,
  MetricKind,
  MetricResult,
  MetricSettings,
  PerSide,
  SequentialConfig,
} from '../types.ts';
import { alphaShare } from './config.ts';
import type { ClaimStrength } from './wealth.ts';
import { interval, odds, percent, ratio as ratioWords, withUnit } from './words.ts';

/** About what hedging between strategies costs an e-value in the long run. */
const HEDGING = 1;
/** More requests than this are out of reach. */
const MOST_REQUESTS = 1e7;

/** A result without what follows from it. */
export interface Draft {
  readonly name: string;
  readonly kind: MetricKind;
  readonly route?: string;
  readonly settings: MetricSettings;
  /** Share of α; absent: by the settings' weight. */
  readonly share?: number;
  readonly observed: PerSide<number | null>;
  readonly unit: string;
  readonly effect: Effect | null;
  readonly interval: MetricResult['interval'];
  readonly samples: PerSide<number>;
  readonly sampleUnit: string;
  /** null: no data. */
  readonly strength: ClaimStrength | null;
  /** What was compared and measured, as a sentence. */
  readonly finding: string;
  /** How to say that it is worse: `fails more often`, `is slower`. */
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
    verdict === 'inconclusive' && result.critical && draft.strength !== null && evidence !== null
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
  const { settings, unit, worseWords } = draft;
  const beyond =
    settings.tolerance > 0 ? ` by more than the tolerated ${amount(settings.tolerance, settings, unit)}` : '';
  const margin =
    unit === 'share'
      ? `${percent(settings.absolute)} of all or ${percent(settings.margin)} of the baseline's share`
      : amount(settings.margin, settings, unit);
  switch (verdict) {
    case 'high':
      return (
        `The evidence that the candidate ${worseWords}${beyond} is ${odds(worse)}; ` +
        `${odds(worseThreshold)} was needed.`
      );
    case 'low':
      return (
        `The evidence that the candidate is lower${beyond} is ${odds(lower)}; ` +
        `${odds(worseThreshold)} was needed.`
      );
    case 'pass':
      return (
        `The evidence that it is not worse by ${margin} is ${odds(noWorse)}; ` +
        `${odds(noWorseThreshold)} was needed.`
      );
    default:
      return (
        `Undecided: the evidence that the candidate ${worseWords}${beyond} is ${odds(worse)} ` +
        `(${odds(worseThreshold)} needed), ` +
        `that it is not worse by ${margin} ${odds(noWorse)} (${odds(noWorseThreshold)} needed).`
      );
  }
}

/** `10 %`, and what it is at least: `10 % (at least 1 ms)`. */
function amount(ratio: number, { absolute }: MetricSettings, unit: string): string {
  return absolute === 0 ? percent(ratio) : `${percent(ratio)} (at least ${withUnit(absolute, unit)})`;
}

/**
 * Requests that are probably still needed for a pass: the richest gambler's wealth grows in proportion to the
 * requests, and the e-value stays behind it by what hedging costs. null where it does not grow.
 */
function stillNeeded({ noWorse }: ClaimStrength, evidence: Evidence, requests: number): number | null {
  const { current, leader } = noWorse;
  if (leader <= 0) return null;
  const behind = Math.max(HEDGING, leader - current);
  const needed = (evidence.noWorseThreshold + behind - leader) / (leader / requests);
  return needed > MOST_REQUESTS ? null : Math.max(1, Math.ceil(needed));
}

/** `20 % higher (95 % interval: …)`, or `unknown`. */
export function ratioFinding(effect: Effect, ends: MetricResult['interval'], level: number): string {
  if (effect.value === null) return 'not comparable';
  return `${ratioWords(effect.value)}${interval({ interval: ends, level }, ratioWords)}`;
}
