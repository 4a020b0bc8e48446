/**
 * `pipeline judge FILE --prometheus URL` by the sequential judge: FILE says which counters are a version's,
 * and the values of both versions make an experiment.
 */
import { z } from 'zod';
import { Failure } from '../../errors.ts';
import { type Experiment, judgeExperiment, sequentialConfig } from '../../judge/index.ts';
import type { CanaryVerdict } from '../../judge/types.ts';
import type { Prometheus } from '../../metrics/prometheus.ts';
import { experimentSchema } from '../../report/document.ts';
import { type SideCounters, type Steps, secondsFrom } from './counters.ts';
import { readScope, type ScopeOptions } from './kayenta-file.ts';
import { expand } from './prometheus-query.ts';

/** The file: selectors of counters, with the version's place held by `${scope}`. */
const fileSchema = z.strictObject({
  judge: z.literal('sequential'),
  requests: z.string().min(1),
  latency: z.string().min(1).optional(),
});

/** A recording of it, to be judged again. */
const savedSchema = z.strictObject({
  judge: z.literal('sequential'),
  baseline: z.string(),
  candidate: z.string(),
  experiment: experimentSchema,
});

/** An experiment from counters, judged. */
export interface JudgedCounters {
  readonly baseline: string;
  readonly candidate: string;
  readonly experiment: Experiment;
  readonly verdict: CanaryVerdict;
  readonly notes: readonly string[];
}

const DEALT =
  'The error rates hold if requests were dealt to both versions at random while both ran; Prometheus ' +
  'cannot tell.';
const BUCKETS =
  'Within a bucket latencies count as evenly spread, so tolerance and margin are as exact as the buckets.';

/** Whether a document asks for this judge, or holds what it was asked. */
export function isSequentialFile(document: unknown): boolean {
  return (
    typeof document === 'object' &&
    document !== null &&
    'judge' in document &&
    document.judge === 'sequential'
  );
}

/** A saved experiment, judged again; null where the document holds none. */
export function judgeSaved(document: unknown): JudgedCounters | null {
  const read = savedSchema.safeParse(document);
  return read.success ? judged(read.data) : null;
}

/** What `--save` writes. */
export function savedCounters({ baseline, candidate, experiment }: JudgedCounters): object {
  return { judge: 'sequential', baseline, candidate, experiment };
}

/**
 * Asks for the counters of both versions, and judges.
 * @throws Failure kind `usage` for a file or series that do not fit; kind `host` where Prometheus cannot be
 *   asked
 */
export async function judgeCounters(
  document: unknown,
  path: string,
  options: ScopeOptions,
  prometheus: Prometheus,
): Promise<JudgedCounters> {
  const read = fileSchema.safeParse(document);
  if (!read.success) {
    const wrong = read.error.issues.map((issue) =>
      [issue.path.join('.'), issue.message].filter(Boolean).join(': '),
    );
    throw new Failure('usage', `${path} does not say what to compare: ${wrong.join('; ')}.`, { next: FORM });
  }
  const control = readScope('control', {}, options, 'requests');
  const experiment = readScope('experiment', {}, options, 'requests');
  const { requests, latency } = read.data;
  const of = (template: string, name: string) => {
    const [a, b] = [expand(name, template, control), expand(name, template, experiment)];
    if (a !== b) return { baseline: a, candidate: b };
    throw new Failure('usage', `${path} asks the same ${name} of both versions: ${a}`, { next: FORM });
  };
  const steps: Steps = control;
  const [baselineCounters, candidateCounters] = await Promise.all(
    (['baseline', 'candidate'] as const).map(async (side): Promise<SideCounters> => {
      const ask = async (template: string, name: string) => {
        const query = {
          query: of(template, name)[side],
          start: steps.start,
          end: steps.end,
          step: steps.step,
        };
        return (await prometheus.range(query, `${name} (${side})`)).series;
      };
      if (latency === undefined) return { requests: await ask(requests, 'requests') };
      const [counted, timed] = await Promise.all([ask(requests, 'requests'), ask(latency, 'latency')]);
      return { requests: counted, latency: timed };
    }),
  );
  if (baselineCounters === undefined || candidateCounters === undefined)
    throw new Error('A side was not asked.');
  const seconds = secondsFrom(baselineCounters, candidateCounters, steps);
  return judged({
    baseline: control.scope,
    candidate: experiment.scope,
    experiment: { config: configOf(latency !== undefined), seconds, ended: true },
  });
}

const FORM =
  `Write {"judge": "sequential", "requests": "http_requests_total{version=\\"\${scope}\\"}", "latency": ` +
  `"http_request_duration_seconds_bucket{version=\\"\${scope}\\"}"}; docs/judge.md says more.`;

/** Counters begin warm and know no clock; latency that nobody asked for stands in no pass's way. */
function configOf(hasLatency: boolean) {
  const config = sequentialConfig({ warmupSeconds: 0, latencyResolutionMs: 0 });
  return hasLatency ? config : { ...config, quantiles: [] };
}

function judged(one: Pick<JudgedCounters, 'baseline' | 'candidate' | 'experiment'>): JudgedCounters {
  const { baseline, candidate, experiment } = one;
  const notes = [DEALT, ...(experiment.config.quantiles.length > 0 ? [BUCKETS] : [])];
  return { baseline, candidate, experiment, verdict: judgeExperiment(experiment), notes };
}
