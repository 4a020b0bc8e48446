/** From a Kayenta configuration and Prometheus to the document that Kayenta's judge takes. */
import { z } from 'zod';
import { Failure } from '../../errors.ts';
import type { Prometheus, RangeSeries } from '../../metrics/prometheus.ts';
import { promQl, type Scope } from './prometheus-query.ts';

/** What the command line says about the two sides; it goes before what the file says. Times in seconds since 1970. */
export interface ScopeOptions {
  readonly baseline?: string | undefined;
  readonly candidate?: string | undefined;
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  readonly step?: number | undefined;
}

const time = z.union([z.string(), z.number()]);
const scopeSchema = z.looseObject({
  scope: z.string().optional(),
  location: z.string().nullish(),
  project: z.string().nullish(),
  resourceType: z.string().nullish(),
  start: time.nullish(),
  end: time.nullish(),
  step: z.number().positive().nullish(),
  extendedScopeParams: z.record(z.string(), z.string()).nullish(),
});
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined);
const texts = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? undefined);
const querySchema = z.looseObject({
  type: text,
  metricName: text,
  labelBindings: texts,
  groupByFields: texts,
  customInlineTemplate: text,
  customFilterTemplate: text,
  customFilter: text,
  resourceType: text,
});
const configSchema = z.looseObject({
  metrics: z
    .array(z.looseObject({ name: z.string(), query: querySchema, scopeName: z.string().nullish() }))
    .min(1),
  templates: z.record(z.string(), z.string()).nullish(),
  classifier: z.looseObject({ scoreThresholds: z.looseObject({}).nullish() }).nullish(),
});
const requestSchema = z.looseObject({
  scopes: z
    .record(
      z.string(),
      z.looseObject({ controlScope: scopeSchema.nullish(), experimentScope: scopeSchema.nullish() }),
    )
    .nullish(),
  thresholds: z.looseObject({}).nullish(),
});
const fileSchema = z.looseObject({ canaryConfig: configSchema, executionRequest: requestSchema.nullish() });

type Side = 'control' | 'experiment';

/** Kayenta's thresholds where nobody says any. */
const THRESHOLDS = { pass: 95, marginal: 75 };
/** Kayenta's scope for a metric that names none. */
const DEFAULT_SCOPE = 'default';
const STEP_SECONDS = 60;

/**
 * The document with the values of both sides, `{canaryConfig, scoreThresholds, metricSetPairList}`.
 * @param document a Kayenta configuration, or Kayenta's `{canaryConfig, executionRequest: {scopes, thresholds}}`
 * @param path of the file, for messages
 * @throws Failure kind `usage` for what does not fit, and for a query that is refused; kind `host` where Prometheus cannot be asked.
 */
export async function documentFromPrometheus(
  document: unknown,
  path: string,
  options: ScopeOptions,
  prometheus: Prometheus,
): Promise<unknown> {
  const whole = typeof document === 'object' && document !== null && 'canaryConfig' in document;
  const read = fileSchema.safeParse(whole ? document : { canaryConfig: document });
  if (!read.success) {
    const issue = read.error.issues[0];
    throw new Failure(
      'usage',
      `${path} is no Kayenta configuration: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}.`,
      {
        next: 'It is canaryConfig, or {canaryConfig, executionRequest}; docs/judge.md has an example.',
      },
    );
  }
  const { canaryConfig, executionRequest } = read.data;
  // Everything that is wrong with the file is said before anything is asked.
  const asked = canaryConfig.metrics.map(({ name, query, scopeName }) => {
    if (query.type !== undefined && query.type !== 'prometheus') {
      throw new Failure('usage', `Metric "${name}" is to be read from ${query.type}, not from Prometheus.`, {
        next: 'Leave it out, or give its query type: prometheus.',
      });
    }
    const scopes = executionRequest?.scopes?.[scopeName ?? DEFAULT_SCOPE];
    const of = (side: Side) => {
      const scope = readScope(side, scopes?.[`${side}Scope`] ?? {}, options, name);
      const range = {
        query: promQl(name, query, canaryConfig.templates ?? {}, scope),
        start: scope.start,
        end: scope.end,
        step: scope.step,
      };
      return range;
    };
    return { name, control: of('control'), experiment: of('experiment') };
  });
  const pairs = await Promise.all(
    asked.map(async ({ name, control, experiment }) => {
      const [controls, experiments] = await Promise.all([
        prometheus.range(control, `metric "${name}" (baseline)`),
        prometheus.range(experiment, `metric "${name}" (candidate)`),
      ]);
      return paired(name, controls, experiments).map((pair) => ({
        ...pair,
        attributes: { control: { query: control.query }, experiment: { query: experiment.query } },
      }));
    }),
  );
  return {
    canaryConfig: whole ? (document as Record<string, unknown>).canaryConfig : document,
    scoreThresholds: executionRequest?.thresholds ?? canaryConfig.classifier?.scoreThresholds ?? THRESHOLDS,
    metricSetPairList: pairs.flat(),
  };
}

function readScope(
  side: Side,
  found: z.infer<typeof scopeSchema>,
  options: ScopeOptions,
  metric: string,
): Scope {
  const name = side === 'control' ? 'baseline' : 'candidate';
  const missing = (what: string, option: string) =>
    new Failure('usage', `Metric "${metric}": nothing says ${what} of the ${name}.`, {
      next: `Say it with ${option}, or in executionRequest.scopes of the file.`,
    });
  const scope = options[name] ?? found.scope;
  if (scope === undefined || scope === '') throw missing('the scope', `--${name} NAME`);
  const start = options.start ?? seconds(found.start, 'start');
  const end = options.end ?? seconds(found.end, 'end');
  if (start === undefined || end === undefined) throw missing('the time', '--last 30m, or --start and --end');
  if (start >= end) {
    throw new Failure('usage', `Metric "${metric}": the time of the ${name} ends before it begins.`, {
      next: 'Exchange start and end.',
    });
  }
  return {
    scope,
    location: found.location ?? undefined,
    project: found.project ?? undefined,
    resourceType: found.resourceType ?? undefined,
    start,
    end,
    step: options.step ?? found.step ?? STEP_SECONDS,
    extendedScopeParams: found.extendedScopeParams ?? {},
  };
}

/** A time of a file or a command line in seconds since 1970. */
export function seconds(value: string | number | null | undefined, what: string): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const at = Number.isFinite(Number(value)) ? Number(value) : Date.parse(String(value)) / 1000;
  if (Number.isFinite(at)) return at;
  throw new Failure('usage', `${what} "${value}" is no time.`, {
    next: 'Write it as 2026-11-25T14:00:00Z, or in seconds since 1970.',
  });
}

interface Pair {
  readonly name: string;
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly values: {
    readonly control: readonly (number | string)[];
    readonly experiment: readonly (number | string)[];
  };
}

/** One series on each side belong together; of several, those with the same labels, and what has no partner is paired with nothing. */
function paired(name: string, controls: readonly RangeSeries[], experiments: readonly RangeSeries[]): Pair[] {
  if (controls.length <= 1 && experiments.length <= 1) return [pair(name, {}, controls[0], experiments[0])];
  const key = ({ labels }: RangeSeries) =>
    JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
  const byLabels = new Map<string, { control?: RangeSeries; experiment?: RangeSeries }>();
  for (const control of controls) byLabels.set(key(control), { control });
  for (const experiment of experiments)
    byLabels.set(key(experiment), { ...byLabels.get(key(experiment)), experiment });
  return [...byLabels.values()].map(({ control, experiment }) =>
    pair(name, (control ?? experiment)?.labels ?? {}, control, experiment),
  );
}

function pair(
  name: string,
  tags: Readonly<Record<string, string>>,
  control: RangeSeries | undefined,
  experiment: RangeSeries | undefined,
): Pair {
  const labels = Object.entries(tags).map(([label, value]) => `${label}=${value}`);
  return {
    name,
    id: [name, ...labels].join(' '),
    tags,
    values: { control: (control?.values ?? []).map(json), experiment: (experiment?.values ?? []).map(json) },
  };
}

/** As Kayenta writes what JSON has no number for. */
function json(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
