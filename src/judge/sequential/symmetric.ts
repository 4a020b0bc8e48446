/**
 * Bets on differences that are symmetric about 0, or below, where there is no effect: one difference for each
 * block of time.
 *
 * Two equal sides that share the traffic at random are interchangeable in every block, so the difference of
 * any statistic between them is as likely to be +x as −x, whatever happens within the block: requests that
 * queue behind one another, pauses of one side, load that both share. Hence 1 + f·tanh(λ·D) has expectation 1
 * for every λ chosen before the block, and no more than 1 where the candidate is better. (Bounded form of the
 * symmetric e-process of de la Peña, 1999; Ramdas et al., arXiv:2009.03167.) No single block can multiply the
 * evidence by more than 2.
 */
import { afterRound, startingWealth, type Wealth } from './wealth.ts';

/** λ in units of one over the mean absolute difference so far: from nearly linear to nearly the sign. */
export const STEEPNESS = [0.15, 0.5, 1.5];
/** Share of the wealth that is at stake, so that no single block ruins a gambler. */
const STAKE = 0.98;

/**
 * The same for what seldom happens: most blocks have no answer beyond a high quantile, so one is already
 * several times the mean difference, and a steep bet would be ruined by the first on the wrong side.
 */
export const RARE_STEEPNESS = [0.15, 0.3];

export interface SymmetricBets {
  readonly steepness: readonly number[];
  readonly wealth: Wealth;
  /** Sum of |D| by channel, for the scale of the next bet. */
  readonly sums: Float64Array;
  readonly blocks: number;
}

export function noSymmetricBets(channels: number, steepness: readonly number[] = STEEPNESS): SymmetricBets {
  const wealth = startingWealth(channels, steepness.length);
  return { steepness, wealth, sums: new Float64Array(channels), blocks: 0 };
}

/**
 * The bets after a block with the difference `differences[channel]` in each channel. Of several comparisons
 * (the smaller side with parts of the bigger one) each gets an equal part of every stake: the mean of what
 * they return has expectation at most 1, as each of them does.
 */
export function betOn(bets: SymmetricBets, ...comparisons: readonly Float64Array[]): SymmetricBets {
  const { sums, blocks, steepness } = bets;
  const wealth = afterRound(bets.wealth, (channel, gambler) => {
    const sum = sums[channel] as number;
    const gains = comparisons.map((differences) => {
      const difference = differences[channel] as number;
      if (difference === 0) return 0;
      // Before any difference was seen there is no scale: bet on the sign.
      const scaled = sum === 0 ? Math.sign(difference) : (difference * blocks) / sum;
      return symmetricGain(scaled, steepness[gambler] as number);
    });
    return gains.length === 1 ? (gains[0] as number) : Math.log(mean(gains.map(Math.exp)));
  });
  const size = (channel: number) =>
    mean(comparisons.map((differences) => Math.abs(differences[channel] as number)));
  return { steepness, wealth, sums: sums.map((sum, channel) => sum + size(channel)), blocks: blocks + 1 };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Log gain of a bet on a difference in units of its usual size. */
export function symmetricGain(scaled: number, steepness: number): number {
  return Math.log1p(STAKE * Math.tanh(steepness * scaled));
}
