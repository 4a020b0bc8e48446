/**
 * What others let through, computed from what they document. They deal requests at random, and look at shares
 * of whole windows, so binomial draws suffice.
 *
 * Flagger (fluxcd.io/flagger/usage/metrics, docs.flagger.app): every minute at 10, 20 … 50 %; a check fails
 * below 99 % successes or above 500 ms at p99; a failed one stops the advance, the fifth takes it back.
 *
 * Argo Rollouts (docs/features/analysis.md of v1.10, its first example): 20 % more every 10 minutes; from its
 * third step on, at 40 %, a measurement every 5 minutes fails below 95 % successes; the third one aborts.
 */
import type { Random } from '../judge/random.ts';

export interface Other {
  readonly takenBack: boolean;
  readonly seconds: number;
  readonly requests: number;
  readonly failed: number;
}

/** Of a version; `p99`: of all its answers, ms. */
export interface Measured {
  readonly errors: number;
  readonly p99: number;
}

const RATE = 100;
const MINUTE = 60;

export function flagger({ errors, p99 }: Measured, random: Random): Other {
  let weight = 10;
  let bad = 0;
  let requests = 0;
  let failed = 0;
  for (let seconds = MINUTE; ; seconds += MINUTE) {
    const window = (RATE * MINUTE * weight) / 100;
    const failures = binomial(window, errors, random);
    requests += window;
    failed += failures;
    if (failures / window > 0.01 || p99 > 500) bad += 1;
    else weight += 10;
    if (bad >= 5) return { takenBack: true, seconds, requests, failed };
    if (weight > 50) return { takenBack: false, seconds, requests, failed };
  }
}

export function argo({ errors }: Measured, random: Random): Other {
  const five = 5 * MINUTE;
  let bad = 0;
  let requests = 0;
  let failed = 0;
  for (let seconds = 0; seconds < 40 * MINUTE; seconds += five) {
    const percent = 20 * (1 + Math.floor(seconds / (10 * MINUTE)));
    const window = (RATE * five * percent) / 100;
    // It looks at the minutes before.
    if (percent >= 40 && requests > 0 && binomial(window, errors, random) / window > 0.05) bad += 1;
    if (bad >= 3) return { takenBack: true, seconds, requests, failed };
    requests += window;
    failed += binomial(window, errors, random);
  }
  return { takenBack: false, seconds: 40 * MINUTE, requests, failed };
}

/** By the normal law, but for small means, where each trial is drawn. */
function binomial(trials: number, chance: number, random: Random): number {
  const mean = trials * chance;
  const variance = mean * (1 - chance);
  if (variance > 20) return Math.round(mean + Math.sqrt(variance) * random.normal());
  let count = 0;
  for (let trial = 0; trial < trials; trial++) if (random.uniform() < chance) count += 1;
  return count;
}
