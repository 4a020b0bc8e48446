/** How long judging takes. */
import { createSequentialJudge, observe, verdict } from '../../src/judge/index.ts';
import { mannWhitney } from '../../src/judge/kayenta/mann-whitney.ts';
import { seeded } from './random.ts';
import { ORDINARY, simulate } from './simulate.ts';

export function* timings(): Generator<string> {
  yield '\nTime';
  for (const size of [100_000, 1_000_000]) {
    const random = seeded(size);
    const draw = () =>
      Float64Array.from({ length: size }, () => Math.round(10 * Math.exp(random.normal())) / 10);
    const [x, y] = [draw(), draw()];
    const start = performance.now();
    mannWhitney(x, y, 0.98);
    yield `  Mann-Whitney with interval, 2 × ${size.toLocaleString('en-US')} values with ties: ` +
      `${(performance.now() - start).toFixed(0)} ms`;
  }
  for (const rate of [100, 2000]) {
    const seconds = [...simulate({ seconds: 120, rate, baseline: ORDINARY, candidate: ORDINARY }, rate)];
    let state = createSequentialJudge();
    const times = seconds.map((second) => {
      const start = performance.now();
      state = observe(state, second);
      verdict(state);
      return performance.now() - start;
    });
    times.sort((a, b) => a - b);
    const at = (share: number) => (times[Math.floor(times.length * share)] ?? Number.NaN).toFixed(2);
    yield `  one second of live data at ${rate} requests/s, observed and judged: median ${at(0.5)} ms, ` +
      `95th percentile ${at(0.95)} ms`;
  }
}
