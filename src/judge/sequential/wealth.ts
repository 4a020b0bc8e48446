/**
 * Betting against hypotheses: e-processes as the wealth of gamblers.
 *
 * A channel is one hypothesis. Several gamblers bet on it, each with equal starting capital and a fixed
 * strategy; the mean of their wealth is the channel's e-process: where the hypothesis is true its expectation
 * never exceeds 1, whenever one stops (Ville's inequality bounds the chance that it ever reaches 1/α by α).
 * Everything is in natural logarithms.
 */
export interface Wealth {
  /** Gamblers on each channel. */
  readonly gamblers: number;
  /** Log wealth, gambler by gambler within channel by channel. */
  readonly logs: Float64Array;
  /** Largest log e-value that each channel ever had, at least 0 (the start). */
  readonly peaks: Float64Array;
}

export function startingWealth(channels: number, gamblers: number): Wealth {
  return { gamblers, logs: new Float64Array(channels * gamblers), peaks: new Float64Array(channels) };
}

/**
 * The wealth after one round; `gain` is the logarithm of a gambler's return, of expectation at most 1 under
 * the channel's hypothesis.
 */
export function afterRound(wealth: Wealth, gain: (channel: number, gambler: number) => number): Wealth {
  const { gamblers } = wealth;
  const logs = Float64Array.from(wealth.logs);
  const peaks = Float64Array.from(wealth.peaks);
  for (let channel = 0; channel < peaks.length; channel++) {
    const start = channel * gamblers;
    for (let gambler = 0; gambler < gamblers; gambler++) {
      logs[start + gambler] = (logs[start + gambler] as number) + gain(channel, gambler);
    }
    const value = logMeanExp(logs, start, gamblers);
    if (value > (peaks[channel] as number)) peaks[channel] = value;
  }
  return { gamblers, logs, peaks };
}

/** The current log e-value of a channel. */
export function logEvidence(wealth: Wealth, channel: number): number {
  return logMeanExp(wealth.logs, channel * wealth.gamblers, wealth.gamblers);
}

/**
 * Log wealth of the channel's richest gambler: it grows in proportion to the data where the e-value has still
 * to catch up.
 */
function leadingWealth({ logs, gamblers }: Wealth, channel: number): number {
  return Math.max(...logs.subarray(channel * gamblers, (channel + 1) * gamblers));
}

/** The largest log e-value that a channel ever had. */
export function peakEvidence(wealth: Wealth, channel: number): number {
  return wealth.peaks[channel] as number;
}

/** Evidence that is hoped for: what it was at most, what it is, and what the richest gambler has. */
interface Progress {
  readonly peak: number;
  readonly current: number;
  readonly leader: number;
}

/**
 * What the label of a metric is decided from, as log e-values: the largest ever that it is worse and lower,
 * and the way to no worse.
 */
export interface ClaimStrength {
  readonly worse: number;
  readonly lower: number;
  readonly noWorse: Progress;
}

export function progress(wealth: Wealth, channel: number): Progress {
  return {
    peak: peakEvidence(wealth, channel),
    current: logEvidence(wealth, channel),
    leader: leadingWealth(wealth, channel),
  };
}

/** ln of the mean of exp over `count` values from `start`. */
function logMeanExp(values: Float64Array, start: number, count: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = start; i < start + count; i++) largest = Math.max(largest, values[i] as number);
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  let sum = 0;
  for (let i = start; i < start + count; i++) sum += Math.exp((values[i] as number) - largest);
  return largest + Math.log(sum / count);
}

/** Two ends in their order. Where the truth moved in time they may cross; the range then covers both. */
export function ordered(low: number | null, high: number | null): readonly [number | null, number | null] {
  return low !== null && high !== null && low > high ? [high, low] : [low, high];
}
