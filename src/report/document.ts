/**
 * A canary's report: a versioned JSON document with the data, configuration, seed and versions from which its
 * verdict can be recomputed. Every other form (terminal, Markdown, HTML) is drawn from it.
 */
import { z } from 'zod';
import { Failure } from '../errors.ts';

/** `format` in every report. */
export const REPORT_FORMAT = 'pipeline-canary-report';

/** Rises when older readers would misunderstand the new form. */
export const REPORT_VERSION = 1;

const count = z.int().nonnegative();
const amount = z.number().nonnegative();
const perSide = <T extends z.ZodType>(value: T) => z.object({ baseline: value, candidate: value });

const histogram = z.object({
  zero: count.exactOptional(),
  counts: z.record(z.string().regex(/^-?\d{1,6}$/), count),
});

const routeSecond = z.object({
  requests: count,
  status: z.object({
    '2xx': count.exactOptional(),
    '3xx': count.exactOptional(),
    '4xx': count.exactOptional(),
    '5xx': count.exactOptional(),
  }),
  latency: histogram,
  size: histogram.exactOptional(),
});

const sideSecond = z.object({
  routes: z.record(z.string(), routeSecond),
  bodies: z.object({ compared: count, disagreed: count }).exactOptional(),
  restarts: count.exactOptional(),
  errorLines: count.exactOptional(),
  cpuSeconds: amount.exactOptional(),
  memoryBytes: amount.exactOptional(),
  own: z.record(z.string(), z.union([z.number(), histogram])).exactOptional(),
});

const metricSettings = z.object({
  role: z.enum(['critical', 'watched', 'informative']),
  weight: amount,
  tolerance: amount,
  margin: amount,
  absolute: amount,
});

const WHOLE_KINDS = [
  'errors-5xx',
  'errors-4xx',
  'bodies',
  'latency-distribution',
  'size',
  'restarts',
  'error-lines',
  'cpu',
  'memory',
] as const;

const probability = z.number().min(0).max(1);

const sequentialConfig = z.object({
  alpha: probability,
  promoteAlpha: probability,
  intervalLevel: probability,
  warmupSeconds: amount,
  minimumSeconds: amount,
  deadlineSeconds: amount.nullable(),
  latencyBlockSeconds: z.number().positive(),
  gaugeBlockSeconds: z.number().positive(),
  latencyResolutionMs: amount,
  brokenShare: probability,
  traffic: z.enum(['interleaved', 'sequential']),
  quantiles: z.array(metricSettings.extend({ quantile: probability })),
  routeWeight: amount,
  metrics: z.record(z.enum(WHOLE_KINDS), metricSettings),
  own: z
    .record(z.string(), metricSettings.extend({ type: z.enum(['counter', 'gauge', 'histogram']) }))
    .exactOptional(),
});

/** An experiment as a report or a saved recording holds it. */
export const experimentSchema = z.object({
  config: sequentialConfig,
  seconds: z.array(z.object({ at: z.int(), ...perSide(sideSecond).shape })),
  ended: z.boolean(),
});

const metricResult = z.object({
  name: z.string(),
  kind: z.enum(['latency', 'own', 'recovery', ...WHOLE_KINDS]),
  route: z.string().exactOptional(),
  role: z.enum(['critical', 'watched', 'informative']),
  critical: z.boolean(),
  weight: amount,
  verdict: z.enum(['pass', 'high', 'low', 'no data', 'inconclusive']),
  observed: perSide(z.number().nullable()),
  unit: z.string(),
  effect: z
    .object({ name: z.string(), scale: z.enum(['ratio', 'difference']), value: z.number().nullable() })
    .nullable(),
  interval: z.tuple([z.number().nullable(), z.number().nullable()]).nullable(),
  level: z.number(),
  samples: perSide(count),
  sampleUnit: z.string(),
  evidence: z
    .object({
      worse: z.number(),
      worseThreshold: z.number(),
      noWorse: z.number(),
      noWorseThreshold: z.number(),
      lower: z.number(),
    })
    .nullable(),
  needsRequests: amount.nullable(),
  reason: z.string(),
});

const verdictSchema = z.object({
  judge: z.enum(['sequential', 'kayenta']),
  verdict: z.enum(['passed', 'failed', 'inconclusive']),
  /** 0 to 100. */
  score: z.number().min(0).max(100),
  /** Why, in one or two sentences. */
  reason: z.string(),
  /** Names of the metrics that decided; empty if an event did (a side that never started). */
  decidedBy: z.array(z.string()),
  /** What a decision lacks; null when passed or failed. */
  needs: z.string().nullable(),
  notes: z.array(z.string()),
  metrics: z.array(metricResult),
  samples: perSide(count),
  stoppedAfter: z.object({ seconds: amount, requests: count }),
});

const side = z.preprocess(
  withColour,
  z.object({
    /** As the user named it: branch, tag or commit. */
    ref: z.string(),
    /** Full hash. */
    commit: z.string(),
    /** First line of the commit's message. */
    subject: z.string(),
    /** SHA-256 of the artifact that ran. */
    artifact: z.string(),
    /** The host that ran it. */
    host: z.string(),
    colour: z.enum(['blue', 'green']),
  }),
);

/** Reports of earlier versions call a side's colour `color`. */
function withColour(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('color' in value)) return value;
  const { color, ...rest } = value;
  return { colour: color, ...rest };
}

const request = z.object({
  name: z.string(),
  method: z.string(),
  /** Equal if both sides are asked for the same path. */
  path: perSide(z.string()),
  weight: z.number().positive(),
  bodyBytes: count,
});

/** An event on a host that affects the verdict. */
const event = z.object({
  /** Seconds since the first request; negative: before it; null: none was sent. */
  at: z.number().nullable(),
  side: z.enum(['baseline', 'candidate', 'proxy']),
  kind: z.enum([
    /** the service did not become healthy before the experiment */
    'never started',
    /** the service stopped and did not come back within its grace */
    'died',
    /** the service stopped and came back */
    'restarted',
    /** the host no longer sends samples */
    'silent',
  ]),
  /** A sentence. */
  detail: z.string(),
});

const loadSummary = z.object({
  sent: count,
  answered: count,
  /** Connections refused or cut off. */
  failed: count,
  timedOut: count,
  /** Requests never sent, because too many others were under way when they were due. */
  skipped: count,
  /** Milliseconds from the moment a request was due to the end of its answer (no coordinated omission). */
  latency: histogram,
  /** Milliseconds between when a request was due and when it was sent. */
  lag: histogram,
});

const reportSchema = z.object({
  format: z.literal(REPORT_FORMAT),
  version: z.literal(REPORT_VERSION),
  /** Version of pipeline that wrote it, e.g. `0.1.0`. */
  pipeline: z.string(),
  /** When the experiment began, ISO 8601. */
  at: z.string(),
  app: z.string(),
  source: z.string(),
  baseline: side,
  candidate: side,
  plan: z.object({
    rate: z.number().positive(),
    durationSeconds: z.number().positive(),
    /** Per cent of the requests that went to the candidate. */
    split: z.number().min(0).max(100),
    traffic: z.enum(['interleaved', 'sequential']),
    seed: z.int(),
    requests: z.array(request),
    ignoreBody: z.array(z.string()),
    /** Faults done to both sides, e.g. `kill:database@20s`; absent: none. */
    faults: z.array(z.string()).exactOptional(),
    /** What of production's traffic the load is; absent: its requests were written down. */
    replay: z.string().exactOptional(),
  }),
  hosts: z.array(
    z.object({
      name: z.string(),
      role: z.enum(['proxy', 'baseline', 'candidate']),
      /** What ran there, e.g. `nginx` → `1.22.1`. */
      versions: z.record(z.string(), z.string()),
    }),
  ),
  /** Why the traffic stopped. */
  stopped: z.enum(['decided', 'deadline', 'interrupted', 'no traffic', 'never started', 'side lost']),
  events: z.array(event),
  load: loadSummary.nullable(),
  /** The candidate's first answers that differed from the baseline's. */
  differences: z.array(
    z.object({ request: z.string(), baseline: z.string(), candidate: z.string(), status: z.int() }),
  ),
  /** What else a reader should know of the run: one sentence each. */
  remarks: z.array(z.string()),
  /** Last lines of each side's journal, without secrets. */
  logs: perSide(z.array(z.string())),
  experiment: experimentSchema,
  verdict: verdictSchema,
});

export type ReportEvent = z.output<typeof event>;
export type ReportSide = z.output<typeof side>;
export type LoadSummary = z.output<typeof loadSummary>;
/** A verdict in a report, by either judge. */
export type ReportVerdict = z.output<typeof verdictSchema>;
export type CanaryReport = z.output<typeof reportSchema>;

/**
 * Reads a parsed JSON document as a report; messages call it `where`, e.g. its path.
 * @throws Failure kind `usage` naming the first problem; `output` has all of them, each with its path in the
 *   document.
 */
export function parseReport(document: unknown, where: string): CanaryReport {
  const result = reportSchema.safeParse(document);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    (issue) => `${issue.path.map(String).join('.') || 'document'}: ${issue.message}`,
  );
  throw new Failure('usage', `${where} is not a canary report that this version can read (${problems[0]}).`, {
    output: problems.slice(0, 20),
    next: `It reads version ${REPORT_VERSION}; run pipeline canary again for a new report.`,
  });
}

/** Whether a parsed JSON document claims to be a report, of any version. */
export function isReport(document: unknown): boolean {
  return (
    typeof document === 'object' &&
    document !== null &&
    'format' in document &&
    document.format === REPORT_FORMAT
  );
}
