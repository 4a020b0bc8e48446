/**
 * Brent's root finder, step for step like R's `zeroin`: at ties a rank test's answer depends on the path.
 */

/** Width of the interval in which the root is known, at the end. */
const TOLERANCE = 1e-4;
/** Kayenta stops after so many, and takes what it has. */
const MAX_STEPS = 1001;

/**
 * A zero of `f` between `low` and `high`, given the values of `f` there.
 *
 * Source: Brent, Algorithms for Minimization without Derivatives (1973), chapter 4, in the form of R's
 * `zeroin.c` (after Forsythe, Malcolm and Moler). `best` is the latest estimate, `previous` the one before,
 * `opposite` the end where `f` has the other sign.
 */
export function findZero(
  f: (x: number) => number,
  low: number,
  high: number,
  fLow: number,
  fHigh: number,
): number {
  if (fLow === 0) return low;
  if (fHigh === 0) return high;
  let [previous, fPrevious] = [low, fLow];
  let [best, fBest] = [high, fHigh];
  let [opposite, fOpposite] = [low, fLow];
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const lastStep = best - previous;
    if (Math.abs(fOpposite) < Math.abs(fBest)) {
      [previous, best, opposite] = [best, opposite, best];
      [fPrevious, fBest, fOpposite] = [fBest, fOpposite, fBest];
    }
    const tolerance = 2 * Number.EPSILON * Math.abs(best) + TOLERANCE / 2;
    const bisection = (opposite - best) / 2;
    if (Math.abs(bisection) <= tolerance || fBest === 0) return best;

    let step = bisection;
    if (Math.abs(lastStep) >= tolerance && Math.abs(fPrevious) > Math.abs(fBest)) {
      step = interpolation() ?? bisection;
    }
    if (Math.abs(step) < tolerance) step = step > 0 ? tolerance : -tolerance;

    [previous, fPrevious] = [best, fBest];
    best += step;
    fBest = f(best);
    if ((fBest > 0 && fOpposite > 0) || (fBest < 0 && fOpposite < 0)) {
      [opposite, fOpposite] = [previous, fPrevious];
    }

    /**
     * Step of the secant or, with three points, of the inverse parabola; undefined if it would go astray.
     */
    function interpolation(): number | undefined {
      const span = opposite - best;
      let p: number;
      let q: number;
      if (previous === opposite) {
        const slope = fBest / fPrevious;
        p = span * slope;
        q = 1 - slope;
      } else {
        const previousToOpposite = fPrevious / fOpposite;
        const bestToOpposite = fBest / fOpposite;
        const bestToPrevious = fBest / fPrevious;
        p =
          bestToPrevious *
          (span * previousToOpposite * (previousToOpposite - bestToOpposite) -
            (best - previous) * (bestToOpposite - 1));
        q = (previousToOpposite - 1) * (bestToOpposite - 1) * (bestToPrevious - 1);
      }
      if (p > 0) q = -q;
      else p = -p;
      const within = p < 0.75 * span * q - Math.abs(tolerance * q) / 2 && p < Math.abs((lastStep * q) / 2);
      return within ? p / q : undefined;
    }
  }
  return best;
}
