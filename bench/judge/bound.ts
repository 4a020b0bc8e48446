/**
 * What any sequential test could do on the simulated data, were requests independent.
 *
 * A test that errs with probability α needs ln(1/α)/D requests of each side on average, or more, where D is
 * what one request of each tells against the nearest case in which the claim is false (Wald 1945; the
 * information is the Kullback-Leibler divergence). Looking at the share of answers above a value x of the
 * baseline, and 1 + t times x of the candidate, the nearest such case has both shares alike.
 */
import { defaultSequentialConfig } from '../../src/judge/index.ts';
import { alphaShare } from '../../src/judge/sequential/config.ts';
import {
  addBlock,
  type DenseCounts,
  nearestSlot,
  noDenseCounts,
  quantileSlot,
  slotEdge,
  sparse,
  spread,
} from '../../src/judge/sequential/slots.ts';
import { type Behaviour, ORDINARY, simulate } from './simulate.ts';

const EXPERIMENTS = 40;
const SECONDS = 120;
const WARM = 5;
const RATE = 100;

/** Everything that the sides answered over many experiments, once warm. */
function gathered(candidate: Partial<Behaviour>): Readonly<Record<'baseline' | 'candidate', DenseCounts>> {
  const sides = { baseline: noDenseCounts(), candidate: noDenseCounts() };
  const scenario = {
    seconds: SECONDS,
    rate: RATE,
    baseline: ORDINARY,
    candidate: { ...ORDINARY, ...candidate },
  };
  for (let seed = 0; seed < EXPERIMENTS; seed++) {
    for (const second of simulate(scenario, seed)) {
      if (second.at < WARM) continue;
      for (const side of ['baseline', 'candidate'] as const) {
        const block = sparse(Object.values(second[side].routes).map(({ latency }) => latency));
        sides[side] = addBlock(sides[side], spread(block, 1));
      }
    }
  }
  return sides;
}

const shareAbove = ({ counts, total }: DenseCounts, slot: number) =>
  counts.subarray(slot).reduce((sum, count) => sum + count, 0) / total;

/** Divergence of one coin from another. */
function divergence(p: number, q: number): number {
  const term = (a: number, b: number) => (a === 0 ? 0 : a * Math.log(a / b));
  return term(p, q) + term(1 - p, 1 - q);
}

/** What one request of each side tells of shares that differ. */
const information = (a: number, b: number) => divergence(a, (a + b) / 2) + divergence(b, (a + b) / 2);

export function* bounds(): Generator<string> {
  const settings = defaultSequentialConfig.quantiles.find(({ quantile }) => quantile === 0.99);
  if (settings === undefined) throw new Error('The default configuration has no p99.');
  const { alpha, promoteAlpha } = defaultSequentialConfig;
  yield '\nWhat any test of the share above p99 would need on average, were requests independent (both sides):';
  const line = (
    name: string,
    candidate: Partial<Behaviour>,
    ratio: number,
    error: number,
    higher: boolean,
  ) => {
    const sides = gathered(candidate);
    const at = quantileSlot(sides.baseline, settings.quantile) + 1;
    const raised = nearestSlot(slotEdge(at) * (1 + ratio));
    const [a, b] = [shareAbove(sides.baseline, at), shareAbove(sides.candidate, raised)];
    const requests =
      a < b === higher ? (2 * Math.log(1 / error)) / information(a, b) : Number.POSITIVE_INFINITY;
    const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
    return (
      `  ${name.padEnd(34)} ${Math.round(requests).toLocaleString('en-US').padStart(7)} requests, ` +
      `${(requests / RATE).toFixed(0)} s at ${RATE}/s (shares ${percent(a)} and ${percent(b)})`
    );
  };
  const alarm = alpha * alphaShare(defaultSequentialConfig, settings);
  yield line('alarm: p99 worse by half', { tail: 1.5 }, settings.tolerance, alarm, true);
  yield line('pass: a version against itself', {}, settings.margin, promoteAlpha, false);
}
