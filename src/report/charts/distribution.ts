/**
 * Two latency distributions over each other: how often each latency occurs, and how it rises in the tail.
 */
import { duration } from '../../format.ts';
import { countOf, type HistogramData, quantile, upperEdge } from '../../metrics/histogram.ts';
import { formatShare } from '../format.ts';
import { chart, PLOT } from './frame.ts';
import { linearScale, logScale } from './scale.ts';
import { linePath, type Point, stairPath, tag, tooltip } from './svg.ts';

export interface Pair {
  readonly baseline: HistogramData;
  readonly candidate: HistogramData;
}

const SIDES = ['baseline', 'candidate'] as const;

/** nginx measures in milliseconds: finer bins would show the clock, not the service. */
const RESOLUTION = 1;
const BIN_RATIO = 1.1;

/**
 * Share of answers in each (logarithmic) bin of latency, scaled so that areas compare. '' without data.
 */
export function densityChart(pair: Pair): string {
  const range = latencyRange(pair);
  if (range === null) return '';
  const edges = binEdges(range);
  const x = logScale([edges[0] ?? 1, edges.at(-1) ?? 1], [PLOT.left, PLOT.right]);
  const densities = { baseline: density(pair.baseline, edges), candidate: density(pair.candidate, edges) };
  const highest = Math.max(...densities.baseline, ...densities.candidate);
  const y = linearScale([0, highest], [PLOT.bottom, PLOT.top], 3);
  const areas = SIDES.map((side) =>
    tag(
      'path',
      { class: `area ${side}`, d: stairPath(edges.map(x), densities[side].map(y), PLOT.bottom) },
      tooltip(`${side}: ${describe(pair[side])}`),
    ),
  );
  const medians = SIDES.flatMap((side) => {
    const median = quantile(pair[side], 0.5);
    if (median === undefined) return [];
    const at = x(Math.max(median, edges[0] ?? median));
    return [tag('line', { class: `median ${side}`, x1: at, x2: at, y1: PLOT.top, y2: PLOT.bottom })];
  });
  return chart(
    `Latency distribution. Baseline: ${describe(pair.baseline)}. Candidate: ${describe(pair.candidate)}.`,
    { scale: x, format: duration },
    { scale: Object.assign((value: number) => y(value), { ticks: [] }), format: String },
    [...areas, ...medians],
  );
}

const PERCENTILES = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999] as const;

/** Latency by percentile, on an axis stretched towards the tail. '' without data. */
export function percentileChart(pair: Pair): string {
  const range = latencyRange(pair);
  if (range === null) return '';
  const enough = Math.max(countOf(pair.baseline), countOf(pair.candidate));
  const shown = PERCENTILES.filter((q) => enough * (1 - q) >= 1);
  const last = shown.at(-1) ?? 0.5;
  const stretch = (q: number) => -Math.log10(1 - q);
  const x = Object.assign(
    (q: number) => PLOT.left + (stretch(q) / (stretch(last) || 1)) * (PLOT.right - PLOT.left),
    { ticks: shown.filter((q) => [0, 0.5, 0.9, 0.99, 0.999].includes(q)) },
  );
  const y = logScale(range, [PLOT.bottom, PLOT.top]);
  const floor = range[0];
  const lines = SIDES.map((side) => {
    const total = countOf(pair[side]);
    const points: Point[] = [];
    for (let s = 0; s <= stretch(last) + 1e-9; s += 0.04) {
      const q = 1 - 10 ** -s;
      const value = total * (1 - q) < 0.5 ? undefined : quantile(pair[side], q);
      if (value !== undefined) points.push([x(q), y(Math.max(value, floor))]);
    }
    return tag(
      'path',
      { class: `line ${side}`, d: linePath(points) },
      tooltip(`${side}: ${describe(pair[side])}`),
    );
  });
  return chart(
    `Latency by percentile. Baseline: ${describe(pair.baseline)}. Candidate: ${describe(pair.candidate)}.`,
    { scale: x, format: (q) => (q === 0 ? 'min' : `p${Number((q * 100).toFixed(1))}`) },
    { scale: y, format: duration },
    lines,
  );
}

/**
 * The latencies worth drawing: from the least to the 99.9th percentile of both; null without data.
 */
function latencyRange(pair: Pair): [number, number] | null {
  const lows = SIDES.flatMap((side) => quantile(pair[side], 0.001) ?? []);
  const highs = SIDES.flatMap((side) => quantile(pair[side], 0.999) ?? []);
  if (lows.length === 0) return null;
  const low = Math.max(RESOLUTION / 2, Math.min(...lows) / 1.3);
  return [low, Math.max(low * 4, Math.max(...highs) * 1.15)];
}

function binEdges([low, high]: readonly [number, number]): number[] {
  const edges = [low];
  for (let edge = low; edge < high; ) {
    const whole = Math.floor(edge / RESOLUTION + 0.5) * RESOLUTION + RESOLUTION / 2;
    edge = edge * (BIN_RATIO - 1) < RESOLUTION ? whole : edge * BIN_RATIO;
    edges.push(edge);
  }
  return edges;
}

/** Share of values in each bin, divided by the bin's width on the logarithmic axis. */
function density(data: HistogramData, edges: readonly number[]): number[] {
  const total = countOf(data);
  const counts = new Array<number>(edges.length - 1).fill(0);
  const put = (value: number, times: number) => {
    const found = edges.findIndex((edge) => edge > value) - 1;
    const bin = found === -2 ? counts.length - 1 : Math.max(0, found);
    counts[bin] = (counts[bin] ?? 0) + times;
  };
  if (data.zero > 0) put(0, data.zero);
  for (const [index, count] of Object.entries(data.counts)) {
    put((upperEdge(Number(index) - 1) + upperEdge(Number(index))) / 2, count);
  }
  return counts.map((count, bin) => {
    const width = Math.log((edges[bin + 1] ?? 1) / (edges[bin] ?? 1));
    return total === 0 ? 0 : count / total / width;
  });
}

function describe(data: HistogramData): string {
  const total = countOf(data);
  if (total === 0) return 'no answers';
  const at = (q: number) => duration(quantile(data, q) ?? 0);
  return (
    `p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)} (${total} answers, ` +
    `${formatShare(1 - data.zero / total)} above 0 ms)`
  );
}
