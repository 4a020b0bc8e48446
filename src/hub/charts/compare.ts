/** One release over time, as the canary judge takes it: a value a step. */
import { sumHistograms } from '../../metrics/dense.ts';
import { type ChartSource, type Range, releaseWindows } from './queries.ts';
import { groupBy } from './view.ts';

export interface ReleasePoint {
  /** End of the step, ms. */
  readonly at: number;
  readonly requests: number;
  /** Share of answers 5xx. */
  readonly errors: number;
  /** Milliseconds, answers below 500; null where there were none. */
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  /** Mean body, bytes. */
  readonly size: number | null;
}

/** Steps in which the release answered, over all hosts. @param stepMs at least the interval of the samples */
export async function releaseSeries(
  source: ChartSource,
  app: string,
  release: string,
  range: Range,
  stepMs: number,
  now: number,
): Promise<ReleasePoint[]> {
  const windows = await releaseWindows(source, app, release, range, now);
  const steps = groupBy(windows, ({ at }) => String(Math.ceil(at / stepMs) * stepMs));
  return [...steps]
    .map(([at, group]) => {
      const requests = group.reduce((total, window) => total + window.requests, 0);
      const errors = group.reduce((total, window) => total + window.errors, 0);
      const latency = sumHistograms(group.map((window) => window.latency));
      const size = sumHistograms(group.map((window) => window.size));
      const quantile = (q: number) => latency.quantile(q) ?? null;
      const answered = requests - errors;
      return {
        at: Number(at),
        requests,
        errors: requests === 0 ? 0 : errors / requests,
        p50: quantile(0.5),
        p90: quantile(0.9),
        p99: quantile(0.99),
        size: answered === 0 ? null : size.sum / answered,
      };
    })
    .filter(({ requests }) => requests > 0)
    .sort((a, b) => a.at - b.at);
}
