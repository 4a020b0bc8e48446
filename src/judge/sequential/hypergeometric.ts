/** The distribution of events over two sides if only chance decides which side gets a request. */

/** Beyond so many possible outcomes a bound replaces the exact sum. */
const EXACT_OUTCOMES = 2000;

/**
 * ln E[exp(slope·c)] for each slope, where c is the number of `events` among `candidate` of the `candidate +
 * baseline` requests, each subset equally likely (hypergeometric).
 *
 * Exact; where there are more than 2,000 possible outcomes, the larger one of the binomial distribution
 * (Hoeffding 1963, theorem 4), which keeps every test valid and costs power only.
 */
export function logMoments(
  events: number,
  candidate: number,
  baseline: number,
  slopes: readonly number[],
): readonly number[] {
  const lowest = Math.max(0, events - baseline);
  const highest = Math.min(events, candidate);
  if (highest - lowest > EXACT_OUTCOMES) {
    const share = candidate / (candidate + baseline);
    return slopes.map((slope) => events * Math.log(share * Math.exp(slope) + 1 - share));
  }
  const logWeights = new Float64Array(highest - lowest + 1);
  for (let c = lowest; c < highest; c++) {
    const odds = ((events - c) * (candidate - c)) / ((c + 1) * (baseline - events + c + 1));
    logWeights[c + 1 - lowest] = (logWeights[c - lowest] as number) + Math.log(odds);
  }
  const total = logSum(logWeights, 0);
  return slopes.map((slope) => lowest * slope + logSum(logWeights, slope) - total);
}

/** ln Σ exp(weights[i] + slope·i). */
function logSum(weights: Float64Array, slope: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < weights.length; i++) largest = Math.max(largest, (weights[i] as number) + slope * i);
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += Math.exp((weights[i] as number) + slope * i - largest);
  return largest + Math.log(sum);
}
