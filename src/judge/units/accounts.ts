/** Wealth of gamblers as plain JSON; wealth.ts of the sequential judge says what it means. */

export interface Account {
  /** Log wealth of each gambler. */
  readonly logs: readonly number[];
  /** Largest log e-value ever, at least 0. */
  readonly peak: number;
}

export function newAccount(gamblers: number): Account {
  return { logs: new Array<number>(gamblers).fill(0), peak: 0 };
}

/**
 * The account after a round with these log gains, none above `most`: cutting a gain never hurts the bound.
 */
export function afterGains(account: Account, gain: (gambler: number) => number, most: number): Account {
  const logs = account.logs.map((log, gambler) => log + Math.min(most, gain(gambler)));
  return { logs, peak: Math.max(account.peak, logMean(logs)) };
}

/** Logarithm of the mean wealth: the e-value. */
export function logMean(logs: readonly number[]): number {
  const largest = Math.max(...logs);
  return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0) / logs.length);
}
