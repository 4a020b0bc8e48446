/**
 * Which series of the two sides belong together, and what stands in for a missing one: as Kayenta's
 * `MetricSetMixerService` pairs and pads. Pure.
 */
import { Failure } from '../../errors.ts';
import type { RangeSeries } from '../../metrics/prometheus.ts';

/** What one side answered, and for which time it was asked. Seconds. */
interface SideSeries {
  readonly series: readonly RangeSeries[];
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

export interface SeriesPair {
  readonly labels: Readonly<Record<string, string>>;
  readonly control: readonly number[];
  readonly experiment: readonly number[];
}

interface Pairing {
  readonly pairs: readonly SeriesPair[];
  /** What a reader must know: a side without series, labels that match nothing, values with gaps. */
  readonly notes: readonly string[];
}

/** Below this share of the steps with a value, a note says so. */
const SPARSE = 0.5;

/**
 * One series on each side belong together, whatever their labels. Of several, those with the same labels do.
 * A series without a partner is paired with as many NaN as there should be values, so that `nanStrategy`
 * decides what its absence means: `remove` is no data, `replace` is zeros.
 * @throws Failure kind `usage` where the sides are labelled by different names: nothing could ever match
 */
export function pairSeries(name: string, control: SideSeries, experiment: SideSeries): Pairing {
  const [a, b] = [control.series, experiment.series];
  if (a.length <= 1 && b.length <= 1) {
    const pair = {
      labels: {},
      control: valuesOf(a[0], control),
      experiment: valuesOf(b[0], experiment),
    };
    return { pairs: [pair], notes: [...missingSides(name, a, b), ...gaps(name, control, experiment)] };
  }
  checkLabelNames(name, a, b);
  const pairs = byLabels(control, experiment);
  return { pairs, notes: [...missingSides(name, a, b), ...unmatched(name, a, b)] };
}

function byLabels(control: SideSeries, experiment: SideSeries): SeriesPair[] {
  const controls = new Map(control.series.map((series) => [keyOf(series), series]));
  const experiments = new Map(experiment.series.map((series) => [keyOf(series), series]));
  // Beside labelled series of the other side, one without labels is no partner of any: Kayenta leaves it out.
  if (!experiments.has(NO_LABELS) && experiments.size > 0) controls.delete(NO_LABELS);
  else if (!controls.has(NO_LABELS) && controls.size > 0) experiments.delete(NO_LABELS);
  return [...new Set([...controls.keys(), ...experiments.keys()])].map((key) => ({
    labels: (controls.get(key) ?? experiments.get(key))?.labels ?? {},
    control: valuesOf(controls.get(key), control),
    experiment: valuesOf(experiments.get(key), experiment),
  }));
}

const NO_LABELS = '[]';

function keyOf({ labels }: RangeSeries): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function valuesOf(series: RangeSeries | undefined, side: SideSeries): readonly number[] {
  return series === undefined || series.values.length === 0 ? padding(side) : series.values;
}

/** A missing series: as many NaN as its side's first series has values, or as the time has steps. */
function padding({ series, start, end, step }: SideSeries): number[] {
  const like = series[0]?.values.length ?? 0;
  const length = like > 1 ? like : Math.max(1, Math.floor((end - start) / step));
  return new Array<number>(length).fill(Number.NaN);
}

function checkLabelNames(name: string, a: readonly RangeSeries[], b: readonly RangeSeries[]): void {
  const [ours, theirs] = [labelNames(a), labelNames(b)];
  if (ours === '' || theirs === '' || ours === theirs) return;
  throw new Failure(
    'usage',
    `Metric "${name}": the baseline's series are labelled by ${ours}, the candidate's by ${theirs}.`,
    { next: `Group by labels that both have, e.g. "sum(…) by (code)", or take one sum.` },
  );
}

function labelNames(series: readonly RangeSeries[]): string {
  return [...new Set(series.flatMap(({ labels }) => Object.keys(labels)))].sort().join(', ');
}

function missingSides(name: string, a: readonly RangeSeries[], b: readonly RangeSeries[]): string[] {
  if (a.length > 0 && b.length > 0) return [];
  const side = a.length === b.length ? 'either side' : `the ${a.length === 0 ? 'baseline' : 'candidate'}`;
  return [`${name}: Prometheus has no series of ${side}; missing values stand in for it.`];
}

function unmatched(name: string, a: readonly RangeSeries[], b: readonly RangeSeries[]): string[] {
  if (a.length === 0 || b.length === 0) return [];
  const theirs = new Set(b.map(keyOf));
  const common = a.filter((series) => theirs.has(keyOf(series))).length;
  const alone = a.length + b.length - 2 * common;
  if (alone === 0) return [];
  const counts = `${a.length} series of the baseline, ${b.length} of the candidate`;
  return [
    common === 0
      ? `${name}: nothing matched (${counts}): their labels (${labelNames([...a, ...b])}) differ between ` +
        `the versions. ` +
        'Sum over them, or group by labels that both share.'
      : `${name}: ${alone} series have no partner with the same labels (${counts}); missing values stand ` +
        `in for it.`,
  ];
}

/** Prometheus leaves a step without a value out; so does Kayenta, which compares what is there. */
function gaps(name: string, control: SideSeries, experiment: SideSeries): string[] {
  return [control, experiment].flatMap(({ series, start, end, step }, index) => {
    const count = series[0]?.values.length;
    const steps = Math.floor((end - start) / step);
    if (count === undefined || count >= SPARSE * steps) return [];
    const side = index === 0 ? 'baseline' : 'candidate';
    return [`${name}: the ${side} has values at ${count} of ${steps} steps; only those are compared.`];
  });
}
