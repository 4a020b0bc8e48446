/**
 * Counters and histograms of Prometheus as the sequential judge's seconds: what each step added. Pure.
 *
 * Every series is followed by itself and counts whole requests: no rate, which Prometheus extrapolates.
 */
import { Failure } from '../../errors.ts';
import { bucketOf, type LogHistogram, type Second, type StatusCounts } from '../../judge/index.ts';
import type { RangeSeries } from '../../metrics/prometheus.ts';

/** When was asked, in seconds; the first value is where the first step begins. */
export interface Steps {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** What a side answered. */
export interface SideCounters {
  readonly requests: readonly RangeSeries[];
  /** Buckets by `le`; absent: not asked for. */
  readonly latency?: readonly RangeSeries[];
}

/** Labels that hold an answer's status, in the order in which they are looked for. */
const STATUS_LABELS = [
  'code',
  'status',
  'status_code',
  'response_code',
  'http_status_code',
  'http_response_status_code',
];
const ROUTE = 'requests';
/** From this share of steps on in which only one side counted anything, the step is too short. */
const ONE_SIDED = 0.5;

/**
 * Both sides' steps as seconds of an experiment; `at` counts seconds from the start.
 * @throws Failure kind `usage` for series that do not tell what the judge needs
 */
export function secondsFrom(baseline: SideCounters, candidate: SideCounters, steps: Steps): Second[] {
  const sides = [sideSteps('baseline', baseline, steps), sideSteps('candidate', candidate, steps)] as const;
  const [a, b] = sides;
  const first = a.findIndex((side, i) => side.requests + (b[i]?.requests ?? 0) > 0);
  checkStep(a, b, steps.step);
  return a.flatMap((side, i) => {
    const other = b[i];
    if (other === undefined || i < first) return [];
    return [{ at: Math.round(i * steps.step), baseline: asSide(side), candidate: asSide(other) }];
  });
}

interface Step {
  readonly requests: number;
  readonly status: StatusCounts;
  readonly latency: LogHistogram;
}

const asSide = (step: Step) => ({ routes: { [ROUTE]: step } });

function checkStep(a: readonly Step[], b: readonly Step[], step: number): void {
  const busy = a
    .map((side, i) => [side.requests, b[i]?.requests ?? 0] as const)
    .filter(([x, y]) => x + y > 0);
  const total = (side: readonly Step[]) => side.reduce((sum, { requests }) => sum + requests, 0);
  // A side without any request is for the judge to say.
  if (busy.length === 0 || total(a) === 0 || total(b) === 0) return;
  const alone = busy.filter(([x, y]) => x === 0 || y === 0).length;
  if (alone <= ONE_SIDED * busy.length) return;
  throw new Failure(
    'usage',
    `In ${alone} of ${busy.length} steps of ${step} s only one version counted requests, so nothing can be ` +
      'compared within a step.',
    { next: 'Give --step at least the interval at which Prometheus scrapes, and several requests of each.' },
  );
}

function sideSteps(side: string, { requests, latency }: SideCounters, steps: Steps): Step[] {
  const count = Math.floor((steps.end - steps.start) / steps.step + 1e-9);
  const byStatus = statusIncreases(side, requests, steps, count);
  const buckets = latency === undefined ? [] : bucketIncreases(side, latency, steps, count);
  return Array.from({ length: count }, (_, i) => {
    const status = Object.fromEntries([...byStatus].map(([kind, increases]) => [kind, increases[i] ?? 0]));
    const all = Object.values(status).reduce((sum, value) => sum + value, 0);
    return { requests: all, status, latency: histogramAt(buckets, i) };
  });
}

function statusIncreases(
  side: string,
  series: readonly RangeSeries[],
  steps: Steps,
  count: number,
): ReadonlyMap<string, readonly number[]> {
  const byStatus = new Map<string, readonly number[]>();
  for (const [i, increase] of increases(series, steps, count).entries()) {
    const kind = statusOf(side, series[i] as RangeSeries);
    byStatus.set(kind, plus(byStatus.get(kind), increase));
  }
  return byStatus;
}

/** `2xx`, from a label such as `code="204"` or `status="2xx"`. */
function statusOf(side: string, { labels }: RangeSeries): string {
  const label = STATUS_LABELS.find((name) => labels[name] !== undefined);
  const digit = label === undefined ? undefined : /^[1-5]/.exec(labels[label] ?? '')?.[0];
  if (digit !== undefined) return digit === '1' ? '2xx' : `${digit}xx`;
  const found = Object.keys(labels).join(', ') || 'none';
  throw new Failure(
    'usage',
    `The ${side}'s requests have no label with the status of the answers (labels: ${found}).`,
    { next: `Count requests by one of ${STATUS_LABELS.join(', ')}.` },
  );
}

/** Upper edge in ms, and what each step added to all up to it. */
interface Bucket {
  readonly edge: number;
  readonly increases: readonly number[];
}

function bucketIncreases(
  side: string,
  series: readonly RangeSeries[],
  steps: Steps,
  count: number,
): readonly Bucket[] {
  const byEdge = new Map<number, readonly number[]>();
  for (const [i, increase] of increases(series, steps, count).entries()) {
    const { labels } = series[i] as RangeSeries;
    const le = labels.le;
    if (le === undefined) {
      throw new Failure('usage', `The ${side}'s latency is no histogram: its series have no label le.`, {
        next: 'Name the series whose name ends with _bucket.',
      });
    }
    const edge = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le) * msPerUnit(labels.__name__ ?? '');
    byEdge.set(edge, plus(byEdge.get(edge), increase));
  }
  return [...byEdge].sort(([a], [b]) => a - b).map(([edge, all]) => ({ edge, increases: all }));
}

/** Prometheus counts in seconds, unless a name says otherwise. */
function msPerUnit(name: string): number {
  return /_(ms|msec|milliseconds|millis)_bucket$/.test(name) ? 1 : 1000;
}

/** One step's values, spread evenly (on a logarithmic scale) over the bucket that each is in. */
function histogramAt(buckets: readonly Bucket[], step: number): LogHistogram {
  const counts: Record<string, number> = {};
  let below = 0;
  let low = 0;
  for (const { edge, increases: all } of buckets) {
    const upTo = Math.round(all[step] ?? 0);
    const count = Math.max(0, upTo - below);
    for (let k = 0; k < count; k++) {
      const index = bucketOf(within(low, edge, (k + 0.5) / count));
      counts[index] = (counts[index] ?? 0) + 1;
    }
    below = Math.max(below, upTo);
    low = edge;
  }
  return { counts };
}

/** A place in a bucket; the first begins at 0, and the last has no end. */
function within(low: number, high: number, share: number): number {
  if (!Number.isFinite(high)) return Math.max(low, Number.MIN_VALUE) * BEYOND;
  return low > 0 ? low * (high / low) ** share : Math.max(high * share, Number.MIN_VALUE);
}

/** What is beyond the last edge counts as just above it. */
const BEYOND = 1.05;

function plus(a: readonly number[] | undefined, b: readonly number[]): readonly number[] {
  return a === undefined ? b : a.map((value, i) => value + (b[i] ?? 0));
}

/**
 * What each step added to each series. A counter that falls began anew at 0. One that appears while others of
 * its side were there already (the first answer of a status, a new instance) began at 0 too.
 */
function increases(
  series: readonly RangeSeries[],
  { start, step }: Steps,
  count: number,
): readonly number[][] {
  const onGrid = series.map(({ values, times = [] }) => {
    const byStep = new Map<number, number>();
    for (const [i, value] of values.entries())
      byStep.set(times[i] === undefined ? i : Math.round((times[i] - start) / step), value);
    return byStep;
  });
  const earliest = Math.min(...onGrid.map((byStep) => Math.min(...byStep.keys())));
  return onGrid.map((byStep) => {
    const added = new Array<number>(count).fill(0);
    let before: number | undefined;
    for (let place = 0; place <= count; place++) {
      const value = byStep.get(place);
      if (value === undefined || Number.isNaN(value)) continue;
      if (before === undefined && place > earliest) before = 0;
      if (before !== undefined && place > 0) added[place - 1] = value >= before ? value - before : value;
      before = value;
    }
    return added;
  });
}
