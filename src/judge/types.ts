/**
 * What a canary's judges take and return. All of it is plain JSON: from the `Experiment` in a report the
 * verdict can be recomputed to the digit.
 */

/**
 * Ratio of neighbouring bucket edges in every `LogHistogram`. Edges are its powers, so buckets are 2 % wide.
 */
export const HISTOGRAM_GAMMA = 1.02;

/**
 * A sparse histogram with logarithmic buckets (the layout of DDSketch). A value v > 0 is counted under
 * `i = ceil(ln v / ln HISTOGRAM_GAMMA)`, so bucket i holds γ^(i−1) < v ≤ γ^i; what is ≤ 0 is counted under
 * `zero`. Units: milliseconds for latency, bytes for size. Indices may be negative. `bucketOf` in
 * histogram.ts computes them.
 */
export interface LogHistogram {
  /** Count of values ≤ 0, e.g. latencies below the clock's resolution, or empty bodies. Absent: 0. */
  readonly zero?: number;
  /** Bucket index (a decimal integer, as JSON keys are) → count. Absent buckets are empty. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Answers by class of status. Absent: 0. */
export interface StatusCounts {
  readonly '2xx'?: number;
  readonly '3xx'?: number;
  readonly '4xx'?: number;
  readonly '5xx'?: number;
}

/** One side, one route, one second. */
export interface RouteSecond {
  /**
   * All requests assigned to the side in this second. Those that `status` does not account for (connection
   * refused, cut off, timed out) got no answer, and count as errors, with the 5xx.
   */
  readonly requests: number;
  readonly status: StatusCounts;
  /** Milliseconds, only of answers below 500: a fast error is no fast answer. */
  readonly latency: LogHistogram;
  /** Body bytes, only of answers below 500. Absent: not measured. */
  readonly size?: LogHistogram;
}

/**
 * How many answers were compared with a baseline answer to the same request, and how many of them differed.
 */
export interface BodyComparisons {
  readonly compared: number;
  readonly disagreed: number;
}

/** One side in one second. An absent field was not measured; 0 was. */
export interface SideSecond {
  /** By method and route, e.g. `POST /preview`. A route without requests in this second may be absent. */
  readonly routes: Readonly<Record<string, RouteSecond>>;
  /**
   * Of the baseline: its answers against other answers of the baseline to the same request (the noise:
   * clocks, random identifiers). Of the candidate: its answers against answers of the baseline. Only answers
   * below 500 on both sides are compared.
   */
  readonly bodies?: BodyComparisons;
  /** Restarts of the service in this second (not the start before the experiment). */
  readonly restarts?: number;
  /** Lines of priority error or worse in the service's journal. */
  readonly errorLines?: number;
  /** CPU seconds that the service's control group used in this second. */
  readonly cpuSeconds?: number;
  /** Memory of the service's control group at the end of this second, bytes. */
  readonly memoryBytes?: number;
  /**
   * The application's own metrics, by name: a gauge's reading, the events of a counter in this second, or a
   * histogram's values in it.
   */
  readonly own?: Readonly<Record<string, number | LogHistogram>>;
}

/**
 * One second of an experiment. Seconds arrive in order; empty ones may be left out.
 */
export interface Second {
  /**
   * Seconds since the first request was sent: the interval [at, at + 1). An integer, greater than the one
   * before.
   */
  readonly at: number;
  readonly baseline: SideSecond;
  readonly candidate: SideSecond;
}

/**
 * How traffic was divided: each request at random, or first all to the baseline and then all to the
 * candidate.
 */
export type Traffic = 'interleaved' | 'sequential';

/** What a metric may do to the overall verdict. */
export type MetricRole =
  /** An alarm fails the canary, which passes only once the metric is shown to be no worse. */
  | 'critical'
  /** An alarm fails the canary; nothing needs to be shown for it to pass. */
  | 'watched'
  /** Reported and scored, decides nothing. */
  | 'informative';

/**
 * The metrics of the sequential judge. Latency is judged at each of `quantiles`, and for each route where
 * there are several.
 */
export type MetricKind =
  | 'errors-5xx'
  | 'errors-4xx'
  | 'bodies'
  | 'latency'
  | 'latency-distribution'
  | 'size'
  | 'restarts'
  | 'error-lines'
  | 'cpu'
  | 'memory';

/** How one metric is judged. */
export interface MetricSettings {
  readonly role: MetricRole;
  /**
   * Share of the false-alarm budget α, relative to the other metrics. Informative metrics have none and are
   * tested at α each.
   */
  readonly weight: number;
  /**
   * How much worse does not matter, as a ratio: at 0.1, an alarm says that the candidate is more than 10 %
   * worse.
   */
  readonly tolerance: number;
  /**
   * What a pass excludes, as a ratio: at 0.25, a pass says that the candidate is not 25 % worse. At least
   * `tolerance`.
   */
  readonly margin: number;
  /**
   * In the metric's own unit. Latency (ms), size and memory (bytes): smaller differences never matter,
   * whatever the ratio says. Counts (share of requests): a pass may exclude this difference instead of the
   * ratio, since a ratio to no errors cannot be shown.
   */
  readonly absolute: number;
}

/** How a metric of the application's own is judged; more is worse. */
export interface OwnSettings extends MetricSettings {
  /** A histogram is judged by its 90th percentile. */
  readonly type: 'counter' | 'gauge' | 'histogram';
}

/** How a quantile of latency is judged. */
export interface QuantileSettings extends MetricSettings {
  /** Between 0 and 1, e.g. 0.99. */
  readonly quantile: number;
}

/** Configuration of the sequential judge; JSON, kept in the report. */
export interface SequentialConfig {
  /** Probability of rejecting a candidate that is no worse, over all metrics and all looks. */
  readonly alpha: number;
  /** Probability of calling a critical metric no worse when it is worse by its margin, over all looks. */
  readonly promoteAlpha: number;
  /**
   * Level of the intervals in the verdict: one minus the chance that any look ever shows one without the
   * truth in it.
   */
  readonly intervalLevel: number;
  /**
   * Seconds at the start of each side's traffic that latency, size and gauges ignore. Counts ignore none.
   */
  readonly warmupSeconds: number;
  /** The canary cannot pass before so many seconds of data. It may fail sooner. */
  readonly minimumSeconds: number;
  /** After so many seconds the verdict is final; null: only when the caller says so. */
  readonly deadlineSeconds: number | null;
  /** Seconds that count as one observation of latency and size: longer than the pauses of one side last. */
  readonly latencyBlockSeconds: number;
  /** Seconds that count as one observation of gauges, restarts and error lines. */
  readonly gaugeBlockSeconds: number;
  /** Resolution of the latencies' clock, ms (nginx: 1); 0: finer than 2 % of every latency. */
  readonly latencyResolutionMs: number;
  /** If both sides fail at least this share of requests, both are broken, and neither passes. */
  readonly brokenShare: number;
  readonly traffic: Traffic;
  readonly quantiles: readonly QuantileSettings[];
  /**
   * Weight of all latencies of single routes together, where there are several routes. They are watched, not
   * critical.
   */
  readonly routeWeight: number;
  readonly metrics: Readonly<Record<Exclude<MetricKind, 'latency'>, MetricSettings>>;
  /** The application's own metrics, by name; absent: none. */
  readonly own?: Readonly<Record<string, OwnSettings>>;
}

/** An experiment, as in a report: enough to recompute its verdict. */
export interface Experiment {
  readonly config: SequentialConfig;
  readonly seconds: readonly Second[];
  /**
   * The caller ended it (deadline, interruption): the verdict is final even without enough evidence.
   */
  readonly ended: boolean;
}

/**
 * Verdict about one metric. `high`/`low`: the candidate's value is higher/lower than tolerated (lower is not
 * always worse).
 */
export type MetricVerdictLabel = 'pass' | 'high' | 'low' | 'no data' | 'inconclusive';

/** A number for each side. */
export interface PerSide<T> {
  readonly baseline: T;
  readonly candidate: T;
}

/** The difference between the sides, as one number. */
export interface Effect {
  /** What the number is, e.g. `ratio of p99 latency, candidate to baseline`. */
  readonly name: string;
  /** `ratio` (1 = equal) or `difference` (0 = equal). */
  readonly scale: 'ratio' | 'difference';
  /** null if it cannot be computed, e.g. a ratio to zero. */
  readonly value: number | null;
}

/**
 * Evidence as natural logarithms of e-values; a claim is made once its e-value reached its threshold, at any
 * time.
 */
export interface Evidence {
  /**
   * Largest log e-value so far against "the candidate is no worse": an alarm at or above `worseThreshold`.
   */
  readonly worse: number;
  readonly worseThreshold: number;
  /**
   * Largest log e-value so far against "the candidate is worse by the margin": no worse at or above
   * `noWorseThreshold`.
   */
  readonly noWorse: number;
  readonly noWorseThreshold: number;
  /**
   * Largest log e-value so far against "the candidate is not lower by the tolerance"; its threshold is
   * `worseThreshold`.
   */
  readonly lower: number;
}

/** Verdict on one metric, with all that it rests on. */
export interface MetricResult {
  /** Unique within the verdict, e.g. `errors (5xx)`, `latency p99`, `latency p99 POST /preview`. */
  readonly name: string;
  /**
   * `own`: of the application's own. `recovery`: seconds after a fault, which a report shows beside what the
   * judge says.
   */
  readonly kind: MetricKind | 'own' | 'recovery';
  /** Only on metrics of one route. */
  readonly route?: string;
  readonly role: MetricRole;
  /** role is `critical`. */
  readonly critical: boolean;
  /** Share of α that its alarm has; the shares sum to at most 1. */
  readonly weight: number;
  readonly verdict: MetricVerdictLabel;
  /** What was measured, e.g. p99 in ms or a share of requests; null without data. */
  readonly observed: PerSide<number | null>;
  /**
   * Unit of `observed`: `ms`, `bytes`, `share`, `ms per request`, or what is counted (`restarts`, `error
   * lines`).
   */
  readonly unit: string;
  readonly effect: Effect | null;
  /** Anytime-valid interval of the effect; an end that is unbounded is null. */
  readonly interval: readonly [number | null, number | null] | null;
  /** Level of `interval`, e.g. 0.95. */
  readonly level: number;
  /** Requests, answers, comparisons or blocks that the verdict rests on. */
  readonly samples: PerSide<number>;
  /** What `samples` counts: `requests`, `answers`, `comparisons`, `blocks`, `seconds`. */
  readonly sampleUnit: string;
  /** null for metrics that have no test of their own or no data. */
  readonly evidence: Evidence | null;
  /**
   * Requests, over both sides, probably still needed for a pass or an alarm; null if decided or unknown.
   */
  readonly needsRequests: number | null;
  /** One or two sentences: what was compared, the effect with its interval, samples, threshold, why. */
  readonly reason: string;
}

/** The overall verdict. */
export type Outcome = 'passed' | 'failed' | 'inconclusive';

/** What the sequential judge says of an experiment, at any moment. */
export interface CanaryVerdict {
  readonly judge: 'sequential';
  readonly verdict: Outcome;
  /**
   * true: more data cannot change the outcome, or the experiment has ended; the caller should stop the
   * traffic.
   */
  readonly decided: boolean;
  /** 0 to 100; see docs/judge.md. */
  readonly score: number;
  /**
   * Names of the metrics that decided: a failure's alarms, a pass's critical metrics, otherwise what is
   * missing.
   */
  readonly decidedBy: readonly string[];
  /** Why, in one or two sentences. */
  readonly reason: string;
  /** What is missing for a decision, e.g. `about 900 more requests`; null when passed or failed. */
  readonly needs: string | null;
  readonly needsRequests: number | null;
  /**
   * What else a reader must know: both sides broken, traffic one after the other, a side that fell silent.
   */
  readonly notes: readonly string[];
  readonly metrics: readonly MetricResult[];
  readonly samples: PerSide<number>;
  readonly stoppedAfter: { readonly seconds: number; readonly requests: number };
}
