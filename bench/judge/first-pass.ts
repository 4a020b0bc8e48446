/** How long a version against itself waits for its pass, and for which metric. */
import { createSequentialJudge, observe, verdict } from '../../src/judge/index.ts';
import { ORDINARY, simulate } from './simulate.ts';

const LIMIT = 180;

/** Seconds until the pass, and until each critical metric was fine; `LIMIT` where it took longer. */
export interface FirstPass {
  readonly pass: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** `pipeline canary` leaves out two seconds, not five. */
const WARMUP_SECONDS = 2;

export function firstPass(seed: number): FirstPass {
  const scenario = { seconds: LIMIT, rate: 100, baseline: ORDINARY, candidate: ORDINARY };
  let state = createSequentialJudge({ warmupSeconds: WARMUP_SECONDS });
  const metrics: Record<string, number> = {};
  let at = 0;
  for (const second of simulate(scenario, seed)) {
    at++;
    state = observe(state, second);
    const said = verdict(state);
    for (const metric of said.metrics) {
      if (!metric.critical) continue;
      if (metric.verdict === 'pass' || metric.verdict === 'low') metrics[metric.name] ??= at;
    }
    if (said.verdict === 'passed') return { pass: at, metrics };
    if (said.verdict === 'failed') break;
  }
  return { pass: LIMIT, metrics };
}

export function* firstPasses(runs: readonly FirstPass[]): Generator<string> {
  yield `\nA version against itself at 100 requests/s: seconds to the pass (${runs.length} experiments)`;
  const line = (name: string, times: readonly number[]) => {
    const sorted = times.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    return `  ${name.padEnd(20)} median ${at(0.5)}, 90th percentile ${at(0.9)}`;
  };
  yield line(
    'pass',
    runs.map(({ pass }) => pass),
  );
  for (const name of new Set(runs.flatMap(({ metrics }) => Object.keys(metrics)))) {
    yield line(
      `  ${name}`,
      runs.map(({ metrics }) => metrics[name] ?? LIMIT),
    );
  }
}
