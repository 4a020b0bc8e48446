/**
 * Reads what Kayenta takes: a configuration, `{canaryConfig, executionRequest}`, and the body of a standalone
 * analysis, whose `scopes` are a list (spinnaker/kayenta, `CanaryAnalysisExecutionRequest`). Pure.
 */
import { z } from 'zod';
import { Failure } from '../../errors.ts';
import type { PrometheusQuery, Scope } from './prometheus-query.ts';

/** What the command line says about the two sides; it overrides the file. Times in seconds since 1970. */
export interface ScopeOptions {
  readonly baseline?: string | undefined;
  readonly candidate?: string | undefined;
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  readonly step?: number | undefined;
}

/** One metric of the configuration, and where its file says the values of each side are. */
export interface KayentaMetric {
  readonly name: string;
  readonly query: PrometheusQuery & { readonly type?: string | undefined };
  readonly control: ScopeFields;
  readonly experiment: ScopeFields;
}

export interface KayentaFile {
  /** As the file has it, for the judge. */
  readonly canaryConfig: unknown;
  readonly scoreThresholds: unknown;
  readonly templates: Readonly<Record<string, string>>;
  readonly metrics: readonly KayentaMetric[];
  /** What the file asks for and this judge does otherwise. */
  readonly notes: readonly string[];
}

/** Kayenta's thresholds where nobody gives any. */
const THRESHOLDS = { pass: 95, marginal: 75 };
/** Kayenta's scope for a metric that names none. */
const DEFAULT_SCOPE = 'default';
const STEP_SECONDS = 60;

/** A number, or a text that is one: Jackson reads both. */
export const numeric = z.union([z.number(), z.string().trim().min(1)]).pipe(z.coerce.number());
const positive = numeric.pipe(z.number().positive());
const time = z.union([z.string(), z.number()]);
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined);
const texts = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? undefined);
const params = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String));

const scopeSchema = z.looseObject({
  scope: z.string().nullish(),
  location: z.string().nullish(),
  project: z.string().nullish(),
  resourceType: z.string().nullish(),
  start: time.nullish(),
  end: time.nullish(),
  step: positive.nullish(),
  extendedScopeParams: params.nullish(),
});
/** One side's scope as the file has it; `start` and `end` not read yet. */
type ScopeFields = z.infer<typeof scopeSchema>;

/** A scope of a standalone analysis, as a request has it. */
export const standaloneScopeSchema = z.looseObject({
  scopeName: z.string().nullish(),
  controlScope: z.string().nullish(),
  controlLocation: z.string().nullish(),
  controlOffsetInMinutes: numeric.nullish(),
  experimentScope: z.string().nullish(),
  experimentLocation: z.string().nullish(),
  startTimeIso: time.nullish(),
  endTimeIso: time.nullish(),
  step: positive.nullish(),
  extendedScopeParams: params.nullish(),
});
type StandaloneScope = z.infer<typeof standaloneScopeSchema>;

const querySchema = z.looseObject({
  type: text,
  serviceType: text,
  metricName: text,
  labelBindings: texts,
  groupByFields: texts,
  template: text,
  customInlineTemplate: text,
  customFilterTemplate: text,
  customFilter: text,
  resourceType: text,
});
const metricSchema = z.looseObject({
  name: z.string(),
  query: querySchema,
  scopeName: z.string().nullish(),
});
const configSchema = z.looseObject({
  metrics: z.array(metricSchema).min(1),
  templates: z.record(z.string(), z.string()).nullish(),
  classifier: z.looseObject({ scoreThresholds: z.looseObject({}).nullish() }).nullish(),
});
const pairOfScopes = z.looseObject({
  controlScope: scopeSchema.nullish(),
  experimentScope: scopeSchema.nullish(),
});
const requestSchema = z.looseObject({
  scopes: z.union([z.record(z.string(), pairOfScopes), z.array(standaloneScopeSchema)]).nullish(),
  thresholds: z.looseObject({}).nullish(),
  lifetimeDurationMins: positive.nullish(),
  beginAfterMins: numeric.nullish(),
  lookbackMins: numeric.nullish(),
  analysisIntervalMins: positive.nullish(),
});
type Request = z.infer<typeof requestSchema>;
const fileSchema = z.looseObject({ canaryConfig: configSchema, executionRequest: requestSchema.nullish() });

/**
 * @param document a configuration, `{canaryConfig, executionRequest}`, or a standalone analysis with
 *   `canaryConfig`
 * @param path of the file, for messages
 * @throws Failure kind `usage` naming the path that does not fit
 */
export function readKayentaFile(document: unknown, path: string): KayentaFile {
  const whole = wrapped(document, path);
  const read = fileSchema.safeParse(whole);
  if (!read.success) {
    const issue = read.error.issues[0];
    throw new Failure(
      'usage',
      `${path} is not a Kayenta configuration: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}.`,
      { next: 'It is canaryConfig, or {canaryConfig, executionRequest}; docs/kayenta.md has an example.' },
    );
  }
  const { canaryConfig, executionRequest } = read.data;
  const request = executionRequest ?? {};
  const scopes = scopesOf(request);
  return {
    canaryConfig: whole.canaryConfig,
    scoreThresholds: request.thresholds ?? canaryConfig.classifier?.scoreThresholds ?? THRESHOLDS,
    templates: canaryConfig.templates ?? {},
    metrics: canaryConfig.metrics.map(({ name, query, scopeName }) => ({
      name,
      query: { ...query, type: query.type ?? query.serviceType },
      control: scopes.get(scopeName ?? DEFAULT_SCOPE)?.controlScope ?? {},
      experiment: scopes.get(scopeName ?? DEFAULT_SCOPE)?.experimentScope ?? {},
    })),
    notes: analysisNotes(request),
  };
}

/** The file as `{canaryConfig, executionRequest}`, whichever of its forms it has. */
function wrapped(document: unknown, path: string): Record<string, unknown> {
  if (typeof document !== 'object' || document === null) return { canaryConfig: document };
  const fields = document as Record<string, unknown>;
  if ('canaryConfig' in fields) {
    // A body that holds the configuration beside the scopes is a request of its own.
    return 'scopes' in fields && fields.executionRequest === undefined
      ? { canaryConfig: fields.canaryConfig, executionRequest: fields }
      : fields;
  }
  if ('scopes' in fields || 'executionRequest' in fields) {
    throw new Failure('usage', `${path} says where the values are, and not which metrics to compare.`, {
      next: 'Add the configuration as canaryConfig: {canaryConfig, executionRequest}.',
    });
  }
  return { canaryConfig: document };
}

function scopesOf(request: Request): ReadonlyMap<string, z.infer<typeof pairOfScopes>> {
  const { scopes } = request;
  if (scopes === undefined || scopes === null) return new Map();
  if (!Array.isArray(scopes)) return new Map(Object.entries(scopes));
  return new Map(scopes.map((scope) => [scope.scopeName ?? DEFAULT_SCOPE, standalone(scope, request)]));
}

/** A scope of a standalone analysis as the pair of scopes of one judgement over its whole lifetime. */
function standalone(scope: StandaloneScope, request: Request): z.infer<typeof pairOfScopes> {
  const lifetime = (request.lifetimeDurationMins ?? Number.NaN) * 60;
  const given = {
    start: seconds(scope.startTimeIso, 'startTimeIso'),
    end: seconds(scope.endTimeIso, 'endTimeIso'),
  };
  const {
    start = known((given.end ?? Number.NaN) - lifetime),
    end = known((given.start ?? Number.NaN) + lifetime),
  } = given;
  const offset = (scope.controlOffsetInMinutes ?? 0) * 60;
  const earlier = (at: number | undefined) => (at === undefined ? undefined : at - offset);
  const { step, extendedScopeParams } = scope;
  return {
    controlScope: {
      scope: scope.controlScope,
      location: scope.controlLocation,
      start: earlier(start),
      end: earlier(end),
      step,
      extendedScopeParams,
    },
    experimentScope: {
      scope: scope.experimentScope,
      location: scope.experimentLocation,
      start,
      end,
      step,
      extendedScopeParams,
    },
  };
}

const known = (value: number) => (Number.isFinite(value) ? value : undefined);

/** Kayenta judges a standalone analysis several times; here the whole time is judged once. */
function analysisNotes({ analysisIntervalMins, lifetimeDurationMins, lookbackMins }: Request): string[] {
  const notes: string[] = [];
  if (analysisIntervalMins != null && analysisIntervalMins !== lifetimeDurationMins) {
    notes.push(
      `The file asks for a judgement every ${analysisIntervalMins} minutes; the whole time is judged once.`,
    );
  }
  if (lookbackMins != null && lookbackMins > 0) {
    notes.push(`The file looks back ${lookbackMins} minutes at a time; the whole time is judged at once.`);
  }
  return notes;
}

/**
 * The scope of one side: the command line's word, then the file's.
 * @throws Failure kind `usage` where neither says the scope or the time
 */
export function readScope(
  side: 'control' | 'experiment',
  found: ScopeFields,
  options: ScopeOptions,
  metric: string,
): Scope {
  const name = side === 'control' ? 'baseline' : 'candidate';
  const missing = (what: string, option: string) =>
    new Failure('usage', `Metric "${metric}": nothing says ${what} of the ${name}.`, {
      next: `Say it with ${option}, or in executionRequest.scopes of the file.`,
    });
  const scope = options[name] ?? found.scope ?? '';
  if (scope === '') throw missing('the scope', `--${name} NAME`);
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
    // Kayenta binds no empty value: `location=""` would match whatever has no location at all.
    location: found.location || undefined,
    project: found.project || undefined,
    resourceType: found.resourceType || undefined,
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
  throw new Failure('usage', `${what} "${value}" is not a time.`, {
    next: 'Write it as 2026-11-25T14:00:00Z, or in seconds since 1970.',
  });
}
