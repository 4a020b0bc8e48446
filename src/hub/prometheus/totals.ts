/** Requests since the hub started, as counters and histograms that Prometheus can turn into rates. */

import type { Row, Window } from '../../metrics/catalogue.ts';
import { DenseHistogram } from '../../metrics/dense.ts';
import { bucketsOf, countOf, type HistogramData, upperEdge } from '../../metrics/histogram.ts';
import type { Family, MetricSample } from './families.ts';

/** Upper edges, seconds. */
const EDGES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Most series per host; those idle longest are dropped. */
const MOST = 200;
const CODES = ['2xx', '3xx', '4xx', '5xx'] as const;

interface Total {
  readonly labels: Readonly<Record<string, string>>;
  readonly codes: Record<(typeof CODES)[number], number>;
  bytes: number;
  readonly latency: DenseHistogram;
}

export class Totals {
  readonly #hosts = new Map<string, Map<string, Total>>();

  /** @param routes summed up by application */
  add(host: string, routes: Window['routes']): void {
    const totals = this.#hosts.get(host) ?? new Map<string, Total>();
    this.#hosts.set(host, totals);
    for (const row of routes) {
      const key = [row.server, row.app, row.colour, row.release].join('\n');
      const total = totals.get(key) ?? newTotal(host, row);
      for (const code of CODES) total.codes[code] += row[`status_${code}`];
      total.bytes += row.bytes;
      total.latency.add(row.latency);
      // The newest comes last, so the first is the one to drop.
      totals.delete(key);
      totals.set(key, total);
      if (totals.size > MOST) totals.delete(totals.keys().next().value ?? '');
    }
  }

  /** @param host only this one; absent: all of them */
  families(host?: string): Family[] {
    const chosen =
      host === undefined ? [...this.#hosts.values()] : [this.#hosts.get(host) ?? new Map<string, Total>()];
    const totals = chosen.flatMap((one) => [...one.values()]);
    if (totals.length === 0) return [];
    return [
      {
        name: 'pipeline_http_requests_total',
        help: 'Requests answered, by class of the status',
        type: 'counter',
        samples: totals.flatMap(({ labels, codes }) =>
          CODES.map((code) => ({ labels: { ...labels, code }, value: codes[code] })),
        ),
      },
      {
        name: 'pipeline_http_response_bytes_total',
        help: 'Bytes of the bodies',
        type: 'counter',
        samples: totals.map(({ labels, bytes }) => ({ labels, value: bytes })),
      },
      {
        name: 'pipeline_http_request_duration_seconds',
        help: 'Duration of the answers below 500',
        type: 'histogram',
        samples: totals.flatMap(({ labels, latency }) => histogramSamples(labels, latency)),
      },
    ];
  }
}

function newTotal(host: string, { server, app, colour, release }: Row<'routes'>): Total {
  return {
    labels: { host, server, app, colour, release },
    codes: { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
    bytes: 0,
    latency: new DenseHistogram(),
  };
}

/**
 * Cumulative buckets: a value counts below an edge where its whole bucket is, so a count is off by at most
 * what lies within 2 % of the edge.
 */
function histogramSamples(labels: Total['labels'], milliseconds: HistogramData): MetricSample[] {
  const buckets = bucketsOf(milliseconds);
  let below = milliseconds.zero;
  let next = 0;
  const samples: MetricSample[] = EDGES.map((edge) => {
    for (; next < buckets.length; next++) {
      const [index, count] = buckets[next] ?? [0, 0];
      if (upperEdge(index) > edge * 1000 * 1.0001) break;
      below += count;
    }
    return { suffix: '_bucket', labels: { ...labels, le: String(edge) }, value: below };
  });
  const count = countOf(milliseconds);
  return [
    ...samples,
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
    { suffix: '_sum', labels, value: milliseconds.sum / 1000 },
    { suffix: '_count', labels, value: count },
  ];
}
