/** Charts of an application, from windows that hold its summed-up routes. Releases get a line each. Pure. */
import type { Row, Window } from '../../metrics/catalogue.ts';
import { type DenseHistogram, sumHistograms } from '../../metrics/dense.ts';
import type { Chart, Line } from './charts.ts';

/** Releases that get a line of their own: those with the most requests, the newest first. */
const VERSIONS = 6;

function releasesOf(app: string, windows: readonly Window[]): string[] {
  const counts = new Map<string, number>();
  for (const { routes } of windows)
    for (const row of routes)
      if (row.app === app && row.requests > 0)
        counts.set(row.release, (counts.get(row.release) ?? 0) + row.requests);
  const most = [...counts].sort((a, b) => b[1] - a[1]).slice(0, VERSIONS);
  return most.map(([release]) => release).sort((a, b) => (a < b ? 1 : -1));
}

type Route = Row<'routes'>;
type Measure = 'latency' | 'size';
type Of = Line['of'];

/** What charts are computed from: the requests of one application, of all its releases or of one. */
class Requests {
  readonly #app: string;
  readonly #sums = new WeakMap<Window, Map<string, DenseHistogram>>();

  constructor(app: string) {
    this.#app = app;
  }

  #rows({ routes }: Window, release: string | undefined): readonly Route[] {
    return routes.filter(
      (row) => row.app === this.#app && (release === undefined || row.release === release),
    );
  }

  #perSecond(window: Window, of: (row: Route) => number, release?: string): number {
    return this.#rows(window, release).reduce((total, row) => total + of(row), 0) / window.seconds;
  }

  rate(of: (row: Route) => number, release?: string): Of {
    return (window) => this.#perSecond(window, of, release);
  }

  /** Of all requests; null without any. */
  share(of: (row: Route) => number, release?: string): Of {
    return (window) => {
      const all = this.#perSecond(window, ({ requests }) => requests, release);
      return all === 0 ? null : this.#perSecond(window, of, release) / all;
    };
  }

  quantile(q: number, of: Measure, release?: string): Of {
    return (window) => this.#histogram(window, of, release).quantile(q) ?? null;
  }

  quantiles(of: Measure): readonly Line[] {
    return [
      { name: 'p50', of: this.quantile(0.5, of) },
      { name: 'p90', of: this.quantile(0.9, of) },
      { name: 'p99', of: this.quantile(0.99, of) },
    ];
  }

  /** Each is summed up once for all lines. */
  #histogram(window: Window, of: Measure, release: string | undefined): DenseHistogram {
    const known = this.#sums.get(window) ?? new Map<string, DenseHistogram>();
    this.#sums.set(window, known);
    const key = `${of} ${release ?? '*'}`;
    const sum = known.get(key) ?? sumHistograms(this.#rows(window, release).map((row) => row[of]));
    known.set(key, sum);
    return sum;
  }
}

const QUIET = 'No requests were answered in this time.';

export function appCharts(app: string, windows: readonly Window[]): readonly Chart[] {
  const requests = new Requests(app);
  const releases = releasesOf(app, windows);
  const byRelease = (of: (release: string) => Of, stacked = false): readonly Line[] =>
    releases.map((release) => ({
      name: release === '' ? 'no release' : release,
      of: of(release),
      ...(stacked ? { stacked: true } : {}),
    }));
  const all = ({ requests: count }: Route) => count;
  const failed = ({ status_5xx }: Route) => status_5xx;
  const chart = (id: string, title: string, unit: string, lines: readonly Line[]): Chart => ({
    id,
    title,
    unit,
    none: QUIET,
    lines,
  });
  const rates =
    releases.length === 0
      ? [{ name: 'all', of: requests.rate(all) }]
      : byRelease((release) => requests.rate(all, release), true);
  return [
    chart('rate', 'Requests by version', '1/s', rates),
    chart('errors', 'Errors', 'ratio', [
      { name: '5xx', of: requests.share(failed) },
      { name: '4xx', of: requests.share(({ status_4xx }) => status_4xx) },
    ]),
    chart('latency', 'Duration', 'ms', requests.quantiles('latency')),
    chart(
      'errors-by-version',
      'Errors (5xx) by version',
      'ratio',
      byRelease((release) => requests.share(failed, release)),
    ),
    chart(
      'latency-by-version',
      'Duration p90 by version',
      'ms',
      byRelease((release) => requests.quantile(0.9, 'latency', release)),
    ),
    chart('size', 'Size of answers', 'bytes', requests.quantiles('size')),
    chart('traffic', 'Sent', 'bytes/s', [{ name: 'bodies', of: requests.rate(({ bytes }) => bytes) }]),
  ];
}
