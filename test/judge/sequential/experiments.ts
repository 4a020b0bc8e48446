/** Small experiments for tests: drawn from a seed, with what a test wants to differ. */
import {
  defaultSequentialConfig,
  type Experiment,
  histogramOf,
  type Second,
  type SequentialConfig,
  type SideSecond,
} from '../../../src/judge/index.ts';
import { seededUniform } from '../../../src/judge/random.ts';

export interface Side {
  /** Requests per second. */
  readonly rate: number;
  readonly errors: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly wrongBodies: number;
  /** Median latency, ms. */
  readonly median: number;
  readonly size: number;
  readonly restarts: number;
  readonly errorLines: number;
  readonly cpuMs: number;
  readonly memory: number;
  readonly routes: readonly string[];
}

const HEALTHY: Side = {
  rate: 50,
  errors: 0,
  refused: 0,
  unanswered: 0,
  wrongBodies: 0,
  median: 20,
  size: 2000,
  restarts: 0,
  errorLines: 0,
  cpuMs: 5,
  memory: 100e6,
  routes: ['POST /preview'],
};

type Changes = Partial<Side> | ((at: number) => Partial<Side>);

/** `seconds` of traffic; what a side changes may depend on the second. */
export function seconds(
  count: number,
  baseline: Changes = {},
  candidate: Changes = {},
  seed = 1,
): readonly Second[] {
  const random = seededUniform(seed);
  const side = (changes: Changes, at: number) =>
    sideSecond({ ...HEALTHY, ...(typeof changes === 'function' ? changes(at) : changes) }, random);
  return Array.from({ length: count }, (_, at) => ({
    at,
    baseline: side(baseline, at),
    candidate: side(candidate, at),
  }));
}

export function experiment(data: readonly Second[], changes: Partial<SequentialConfig> = {}): Experiment {
  return { config: { ...defaultSequentialConfig, ...changes }, seconds: data, ended: true };
}

function sideSecond(side: Side, random: () => number): SideSecond {
  const { rate, routes } = side;
  const shares = routes.map((name, i) => [name, Math.floor((rate + i) / routes.length)] as const);
  let good = 0;
  const byRoute = shares.map(([name, requests]) => {
    const failed = draws(requests, side.errors, random);
    const lost = draws(requests - failed, side.unanswered, random);
    const refused = draws(requests - failed - lost, side.refused, random);
    const answered = requests - failed - lost;
    good += answered;
    const latencies = Array.from({ length: answered }, () => side.median * Math.exp(0.3 * normal(random)));
    return [
      name,
      {
        requests,
        status: { '2xx': answered - refused, '4xx': refused, '5xx': failed },
        latency: histogramOf(latencies),
        size: histogramOf(latencies.map(() => side.size)),
      },
    ] as const;
  });
  return {
    routes: Object.fromEntries(byRoute),
    bodies: { compared: good, disagreed: draws(good, side.wrongBodies, random) },
    restarts: side.restarts,
    errorLines: side.errorLines,
    cpuSeconds: (rate * side.cpuMs * (0.95 + 0.1 * random())) / 1000,
    memoryBytes: side.memory * (0.98 + 0.04 * random()),
  };
}

/** How many of `trials` are events of probability `share`. */
function draws(trials: number, share: number, random: () => number): number {
  if (share >= 1) return trials;
  let events = 0;
  for (let i = 0; i < trials; i++) if (random() < share) events++;
  return events;
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
