/** Reads a remote-judge document: everything checked, every default filled in. */
import { JudgeInputError } from '../input-error.ts';
import type { KayentaInput, MetricConfig, MetricSetPair } from './types.ts';

export const KAYENTA_JUDGE_NAME = 'NetflixACAJudge-v1.0';
/** Fixed in NetflixACAJudge; ours to configure through `judge.judgeConfigurations`. */
const NETFLIX_TOLERANCE = 0.25;
const NETFLIX_CONFIDENCE = 0.98;
/** How much of a common word for "no number" Jackson reads as a double. */
const WORDS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  '': Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  INF: Number.POSITIVE_INFINITY,
  '+INF': Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-INF': Number.NEGATIVE_INFINITY,
};

/**
 * `{canaryConfig, scoreThresholds, metricSetPairList}` as Kayenta sends it to a remote judge.
 *
 * Unknown fields are ignored, as Kayenta ignores them; a field that is absent or null has Kayenta's default.
 * Thresholds fall back to those of the configuration's classifier.
 * @throws JudgeInputError naming the first path that is wrong.
 */
export function readKayentaInput(document: unknown): KayentaInput {
  const root = object(document, 'document');
  const config = object(root.canaryConfig, 'canaryConfig');
  const judge = optional(config.judge, 'canaryConfig.judge', object) ?? {};
  checkJudge(judge.name);
  const settingsPath = 'canaryConfig.judge.judgeConfigurations';
  const settings = optional(judge.judgeConfigurations, settingsPath, object) ?? {};
  const metrics = list(config.metrics, 'canaryConfig.metrics').map((metric, index) =>
    readMetric(metric, `canaryConfig.metrics[${index}]`),
  );
  // Of several metrics with one name Kayenta takes the first.
  const byName = new Map(metrics.toReversed().map((metric) => [metric.name, metric]));
  return {
    metrics: byName,
    pairs: list(root.metricSetPairList, 'metricSetPairList').map((pair, index) =>
      readPair(pair, `metricSetPairList[${index}]`, byName),
    ),
    groupWeights: readWeights(config),
    thresholds: readThresholds(root, config),
    tolerance:
      optional(
        settings.tolerance,
        `${settingsPath}.tolerance`,
        numberWhere('a number ≥ 0', (n) => n >= 0),
      ) ?? NETFLIX_TOLERANCE,
    confidenceLevel:
      optional(
        settings.confidenceLevel,
        `${settingsPath}.confidenceLevel`,
        numberWhere('a number between 0 and 1', (n) => n > 0 && n < 1),
      ) ?? NETFLIX_CONFIDENCE,
  };
}

/** Another judge would answer differently: its file is refused. */
function checkJudge(name: unknown): void {
  if (name === undefined || name === null || name === KAYENTA_JUDGE_NAME) return;
  throw new JudgeInputError('canaryConfig.judge.name', `"${KAYENTA_JUDGE_NAME}", the only judge here`, name);
}

function readMetric(value: unknown, path: string): MetricConfig {
  const metric = object(value, path);
  const analysisPath = `${path}.analysisConfigurations`;
  const analysis = optional(metric.analysisConfigurations, analysisPath, object) ?? {};
  const at = `${analysisPath}.canary`;
  const canary = optional(analysis.canary, at, object) ?? {};
  const effect = optional(canary.effectSize, `${at}.effectSize`, object) ?? {};
  const outliers = optional(canary.outliers, `${at}.outliers`, object) ?? {};
  const flag = (key: string) => optional(canary[key], `${at}.${key}`, boolean) ?? false;
  const measure = effect.measure === 'cles' ? 'cles' : 'meanRatio';
  const threshold = (key: string) =>
    optional(effect[key], `${at}.effectSize.${key}`, finite) ?? (measure === 'cles' ? 0.5 : 1);
  const factorPath = `${at}.outliers.outlierFactor`;
  const factor =
    optional(
      outliers.outlierFactor,
      factorPath,
      numberWhere('a number above 0', (n) => n > 0),
    ) ?? 3;
  const direction = canary.direction;
  return {
    name: string(metric.name, `${path}.name`),
    groups: (optional(metric.groups, `${path}.groups`, list) ?? []).map((group, index) =>
      string(group, `${path}.groups[${index}]`),
    ),
    // For words that it does not know, Kayenta takes its defaults.
    direction: direction === 'increase' || direction === 'decrease' ? direction : 'either',
    nanStrategy: canary.nanStrategy === 'replace' ? 'replace' : 'remove',
    outlierFactor: outliers.strategy === 'remove' ? factor : null,
    critical: flag('critical'),
    mustHaveData: flag('mustHaveData'),
    muted: flag('muted'),
    effectSize: {
      measure,
      allowedIncrease: threshold('allowedIncrease'),
      allowedDecrease: threshold('allowedDecrease'),
      criticalIncrease: threshold('criticalIncrease'),
      criticalDecrease: threshold('criticalDecrease'),
    },
  };
}

function readPair(value: unknown, path: string, metrics: ReadonlyMap<string, MetricConfig>): MetricSetPair {
  const pair = object(value, path);
  const name = string(pair.name, `${path}.name`);
  if (!metrics.has(name)) {
    throw new JudgeInputError(`${path}.name`, 'the name of a metric in canaryConfig.metrics', name);
  }
  const values = object(pair.values, `${path}.values`);
  const tags = optional(pair.tags, `${path}.tags`, object);
  const control = series(values.control, `${path}.values.control`);
  const experiment = series(values.experiment, `${path}.values.experiment`);
  return {
    name,
    id: optional(pair.id, `${path}.id`, string),
    tags: tags as Record<string, string> | undefined,
    control: padded(control, experiment),
    experiment: padded(experiment, control),
  };
}

/** An empty side as Kayenta's mixer hands it to the judge: a NaN for each value that the other side has. */
function padded(values: Float64Array, other: Float64Array): Float64Array {
  return values.length > 0 ? values : new Float64Array(other.length).fill(Number.NaN);
}

function readWeights(config: Record<string, unknown>): ReadonlyMap<string, number> {
  const classifier = optional(config.classifier, 'canaryConfig.classifier', object) ?? {};
  const path = 'canaryConfig.classifier.groupWeights';
  const weights = optional(classifier.groupWeights, path, object) ?? {};
  return new Map(
    Object.entries(weights).map(([group, weight]) => [group, finite(weight, `${path}.${group}`)]),
  );
}

function readThresholds(
  root: Record<string, unknown>,
  config: Record<string, unknown>,
): { pass: number; marginal: number } {
  const classifier = optional(config.classifier, 'canaryConfig.classifier', object) ?? {};
  const thresholds = object(root.scoreThresholds ?? classifier.scoreThresholds, 'scoreThresholds');
  return {
    pass: finite(thresholds.pass, 'scoreThresholds.pass'),
    marginal: finite(thresholds.marginal, 'scoreThresholds.marginal'),
  };
}

function series(value: unknown, path: string): Float64Array {
  return Float64Array.from(list(value, path), (item: unknown, index) => {
    if (typeof item === 'number') return item;
    if (item === null) return Number.NaN;
    const parsed = typeof item === 'string' ? (WORDS[item.trim()] ?? Number(item)) : Number.NaN;
    if (typeof item !== 'string' || (Number.isNaN(parsed) && WORDS[item.trim()] === undefined)) {
      throw new JudgeInputError(`${path}[${index}]`, 'a number, "NaN" or null', item);
    }
    return parsed;
  });
}

function optional<T>(value: unknown, path: string, read: (value: unknown, path: string) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value, path);
}

function object(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new JudgeInputError(path, 'an object', value ?? null);
  }
  return value as Record<string, unknown>;
}

function list(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new JudgeInputError(path, 'a list', value ?? null);
  return value;
}

function string(value: unknown, path: string): string {
  if (typeof value !== 'string') throw new JudgeInputError(path, 'a text', value ?? null);
  return value;
}

function boolean(value: unknown, path: string): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw new JudgeInputError(path, 'true or false', value);
}

/** A number, or text with one: Jackson reads both, and pipeline templates write text. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
}

function finite(value: unknown, path: string): number {
  const number = numberOf(value);
  if (!Number.isFinite(number)) throw new JudgeInputError(path, 'a number', value ?? null);
  return number;
}

const numberWhere =
  (expected: string, holds: (value: number) => boolean) => (value: unknown, path: string) => {
    const number = numberOf(value);
    if (!holds(number)) throw new JudgeInputError(path, expected, value);
    return number;
  };
