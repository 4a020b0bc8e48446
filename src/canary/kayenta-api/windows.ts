/**
 * When a standalone analysis judges, and what each judgement looks at. Pure. Source: spinnaker/kayenta,
 * `SetupAndExecuteCanariesStage`.
 */
import { z } from 'zod';
import { Failure } from '../../errors.ts';
import { numeric, standaloneScopeSchema } from '../judging/kayenta-file.ts';

/** One judgement of an analysis. Times in milliseconds since 1970. */
export interface Judgement {
  /** Not before then. */
  readonly due: number;
  readonly start: number;
  readonly end: number;
  /** `executionRequest` of this judgement alone. */
  readonly request: { readonly scopes: unknown; readonly thresholds: unknown };
}

const minutes = numeric.pipe(z.number().nonnegative());
const whole = numeric.pipe(z.number().int().positive());
const instant = z.union([z.string(), z.number()]).transform((value, context) => {
  const at = typeof value === 'number' ? value : Date.parse(value);
  if (Number.isFinite(at)) return at;
  context.addIssue({ code: 'custom', message: `"${value}" is not a time such as 2026-11-25T14:00:00Z` });
  return z.NEVER;
});

const scopeSchema = standaloneScopeSchema.extend({
  startTimeIso: instant.nullish(),
  endTimeIso: instant.nullish(),
  step: whole.nullish(),
  extendedScopeParams: z.record(z.string(), z.unknown()).nullish(),
});
type AnalysisScope = z.infer<typeof scopeSchema>;

const requestSchema = z.looseObject({
  scopes: z.array(scopeSchema).min(1),
  thresholds: z.looseObject({}),
  lifetimeDurationMins: minutes.nullish(),
  beginAfterMins: minutes.nullish(),
  lookbackMins: minutes.nullish(),
  analysisIntervalMins: minutes.nullish(),
});
type AnalysisRequest = z.infer<typeof requestSchema>;

const MINUTE = 60_000;
/** More judgements than a minute-by-minute analysis of a day has are a mistake. */
const MOST = 1440;

/**
 * The judgements of an analysis, in order. With an end, all are of the past and due at once; without, each is
 * due when its time has passed.
 * @param received when the request came, in milliseconds since 1970: the start where none is given
 * @throws Failure kind `usage` for a request that does not fit
 */
export function judgementsOf(request: unknown, received: number): readonly Judgement[] {
  const read = requestSchema.safeParse(request);
  if (!read.success) {
    const issue = read.error.issues[0];
    throw wrong(`executionRequest.${issue?.path.join('.')}: ${issue?.message}`);
  }
  const [first] = read.data.scopes;
  const start = first?.startTimeIso ?? received;
  const end = first?.endTimeIso ?? undefined;
  const lifetime = lifetimeOf(read.data, start, end);
  const asked = read.data.analysisIntervalMins ?? lifetime;
  const interval = asked === 0 || asked > lifetime ? lifetime : asked;
  const count = Math.floor(lifetime / interval);
  if (count > MOST) throw wrong(`${count} judgements are more than ${MOST}`);
  const warmUp = end === undefined ? (read.data.beginAfterMins ?? 0) * MINUTE : 0;
  const lookback = (read.data.lookbackMins ?? 0) * MINUTE;
  return Array.from({ length: count }, (_, index) => {
    const until = start + warmUp + (index + 1) * interval * MINUTE;
    const from = lookback > 0 ? until - lookback : start + warmUp;
    return {
      due: end === undefined ? until : received,
      start: from,
      end: until,
      request: { scopes: scopesOf(read.data, from, until), thresholds: read.data.thresholds },
    };
  });
}

/** Whole minutes. */
function lifetimeOf(request: AnalysisRequest, start: number, end: number | undefined): number {
  const lifetime = Math.floor(
    end === undefined ? (request.lifetimeDurationMins ?? Number.NaN) : (end - start) / MINUTE,
  );
  if (Number.isNaN(lifetime)) throw wrong('it needs lifetimeDurationMins, or endTimeIso in its first scope');
  if (lifetime < 1) throw wrong('it must last for a minute at least');
  return lifetime;
}

function scopesOf(request: AnalysisRequest, start: number, end: number) {
  const step = request.scopes[0]?.step;
  return Object.fromEntries(
    request.scopes.map((scope) => [scope.scopeName ?? 'default', pairOf(scope, start, end, step)]),
  );
}

function pairOf(scope: AnalysisScope, start: number, end: number, step: number | null | undefined) {
  const offset = (scope.controlOffsetInMinutes ?? 0) * MINUTE;
  const { extendedScopeParams } = scope;
  return {
    controlScope: {
      scope: scope.controlScope,
      location: scope.controlLocation,
      start: (start - offset) / 1000,
      end: (end - offset) / 1000,
      step,
      extendedScopeParams,
    },
    experimentScope: {
      scope: scope.experimentScope,
      location: scope.experimentLocation,
      start: start / 1000,
      end: end / 1000,
      step,
      extendedScopeParams,
    },
  };
}

function wrong(why: string): Failure {
  return new Failure('usage', `The analysis cannot be run: ${why}.`, {
    next: "Correct the request; docs/kayenta.md says which of Kayenta's fields count.",
  });
}
