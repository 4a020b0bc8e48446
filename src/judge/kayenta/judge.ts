/** NetflixACAJudge-v1.0: reads, classifies every metric, scores. */
import { classify, prepare } from './classify.ts';
import { KAYENTA_JUDGE_NAME, readKayentaInput } from './input.ts';
import { AllTiedError } from './mann-whitney.ts';
import { score } from './score.ts';
import { mean, variance } from './statistics.ts';
import type {
  JsonNumber,
  KayentaInput,
  KayentaJudgeResult,
  KayentaMetricResult,
  MetricConfig,
  MetricSetPair,
  SideMetadata,
} from './types.ts';

/**
 * The answer that Kayenta's judge gives to a remote-judge document `{canaryConfig, scoreThresholds,
 * metricSetPairList}`.
 * @throws JudgeInputError naming the path that is wrong.
 */
export function judgeKayenta(document: unknown): KayentaJudgeResult {
  const input = readKayentaInput(document);
  const results = input.pairs.map((pair) => judgeMetric(pair, input));
  const scored = score(
    results.filter((result) => !result.muted),
    input,
  );
  return {
    judgeName: KAYENTA_JUDGE_NAME,
    results,
    groupScores: scored.groupScores,
    score: scored.score,
  };
}

function judgeMetric(pair: MetricSetPair, input: KayentaInput): KayentaMetricResult {
  const config = input.metrics.get(pair.name) as MetricConfig;
  const experiment = prepare(pair.experiment, config);
  const control = prepare(pair.control, config);
  return {
    name: pair.name,
    ...(pair.tags === undefined ? {} : { tags: pair.tags }),
    ...(pair.id === undefined ? {} : { id: pair.id }),
    ...classification(experiment, control, config, input),
    groups: config.groups,
    experimentMetadata: metadata(experiment),
    controlMetadata: metadata(control),
    muted: config.muted,
  };
}

type ClassificationFields = Pick<
  KayentaMetricResult,
  'classification' | 'classificationReason' | 'resultMetadata' | 'critical'
>;

function classification(
  experiment: Float64Array,
  control: Float64Array,
  config: MetricConfig,
  input: KayentaInput,
): ClassificationFields {
  try {
    const result = classify(experiment, control, config, input);
    return {
      classification: result.classification,
      ...(result.reason === undefined ? {} : { classificationReason: result.reason }),
      resultMetadata: { ratio: json(result.deviation) },
      critical: result.critical,
    };
  } catch (error) {
    if (!(error instanceof AllTiedError)) throw error;
    return { classification: 'Error', classificationReason: 'Metric Classification Failed', critical: false };
  }
}

function metadata(values: Float64Array): SideMetadata {
  const count = values.length;
  if (count === 0) return { stats: { min: 0, max: 0, mean: 0, std: 0, count } };
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const std = Math.sqrt(variance(values));
  return { stats: { min: json(min), max: json(max), mean: json(mean(values)), std: json(std), count } };
}

/** A number as Jackson writes it. */
function json(value: number): JsonNumber {
  return Number.isFinite(value) ? value : (String(value) as JsonNumber);
}
