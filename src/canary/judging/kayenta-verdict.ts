/** What Kayenta's judge says about a canary's data, in the form that reports have. Pure. */
import type {
  CanaryVerdict,
  KayentaJudgeResult,
  KayentaMetricResult,
  MetricResult,
} from '../../judge/index.ts';
import type { ReportVerdict } from '../../report/document.ts';
import type { KayentaWord } from './kayenta-doubts.ts';

const LABELS = {
  Pass: 'pass',
  High: 'high',
  Low: 'low',
  Nodata: 'no data',
  NodataFailMetric: 'no data',
  Error: 'inconclusive',
} as const satisfies Record<KayentaJudgeResult['results'][number]['classification'], MetricResult['verdict']>;

/**
 * The verdict. Numbers observed, samples and what stopped the run are those of `sequential`, which saw the
 * same data; classification, ratio, score and reasons are Kayenta's.
 */
export function fromKayenta(
  { result, outcome, notes }: KayentaWord,
  sequential: CanaryVerdict,
): ReportVerdict {
  const metrics = result.results.map((entry) => metricOf(entry, sequential));
  const { score, classification, classificationReason } = result.score;
  const different = metrics
    .filter(({ verdict }) => verdict === 'high' || verdict === 'low')
    .map(({ name }) => name);
  const oneSided = Math.min(sequential.samples.candidate, sequential.samples.baseline) === 0;
  return {
    judge: 'kayenta',
    // Without requests to both there is nothing to compare, whatever the score says.
    verdict: oneSided ? 'inconclusive' : outcome,
    score,
    // Kayenta gives an empty reason where it has none.
    reason: classificationReason || scoreInWords(score, classification, different),
    decidedBy: different,
    needs: null,
    notes: [
      ...sequential.notes,
      ...notes,
      "Kayenta's judge looks once, at the end, at one value a second; its score has no stated rate of " +
        'false alarms.',
    ],
    metrics,
    samples: { ...sequential.samples },
    stoppedAfter: { ...sequential.stoppedAfter },
  };
}

function metricOf(entry: KayentaMetricResult, sequential: CanaryVerdict): ReportVerdict['metrics'][number] {
  const known = sequential.metrics.find(({ name }) => name === entry.name);
  const ratio = entry.resultMetadata?.ratio;
  const value = typeof ratio === 'number' ? ratio : null;
  return {
    name: entry.name,
    kind: known?.kind ?? 'latency',
    ...(known?.route === undefined ? {} : { route: known.route }),
    role: entry.critical ? 'critical' : 'watched',
    critical: entry.critical,
    weight: 0,
    verdict: LABELS[entry.classification],
    observed: {
      baseline: finite(entry.controlMetadata.stats.mean),
      candidate: finite(entry.experimentMetadata.stats.mean),
    },
    unit: known?.unit ?? '',
    effect:
      value === null ? null : { name: 'ratio of the means, candidate to baseline', scale: 'ratio', value },
    interval: null,
    level: 0.98,
    samples: {
      baseline: entry.controlMetadata.stats.count,
      candidate: entry.experimentMetadata.stats.count,
    },
    sampleUnit: 'points',
    evidence: null,
    needsRequests: null,
    reason:
      entry.classificationReason ?? `Classified ${entry.classification} by the Mann-Whitney test of Kayenta.`,
  };
}

function scoreInWords(score: number, classification: string, different: readonly string[]): string {
  const why =
    different.length === 0 ? 'no metric differs' : `it finds a difference in ${different.join(', ')}`;
  return `Kayenta's score is ${score}, which it calls ${classification.toLowerCase()}: ${why}.`;
}

function finite(value: number | string): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
