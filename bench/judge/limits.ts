/** Exact confidence limits of a share. */
import betainc from '@stdlib/math-base-special-betainc';

/** Upper end of the 95 % Clopper-Pearson interval (one-sided 97.5 %) for `hits` of `runs`. */
export function upperLimit(hits: number, runs: number): number {
  if (hits >= runs) return 1;
  let low = hits / runs;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (betainc(middle, hits + 1, runs - hits) < 0.975) low = middle;
    else high = middle;
  }
  return high;
}
