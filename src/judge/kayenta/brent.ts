/**
 * Brent's root finder, step for step like R's `zeroin`: at ties a rank test's answer depends on the path.
 */

/** Width of the interval in which the root is known, at the end. */
const TOLERANCE = 1e-4;
/** Kayenta stops after so many, and takes what it has. */
const MAX_STEPS = 1001;

/** A place on the line, and the value of the function there. */
interface Point {
  readonly x: number;
  readonly f: number;
}

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
  let previous: Point = { x: low, f: fLow };
  let best: Point = { x: high, f: fHigh };
  let opposite = previous;
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const lastStep = best.x - previous.x;
    if (Math.abs(opposite.f) < Math.abs(best.f)) [previous, best, opposite] = [best, opposite, best];
    const tolerance = 2 * Number.EPSILON * Math.abs(best.x) + TOLERANCE / 2;
    const bisection = (opposite.x - best.x) / 2;
    if (Math.abs(bisection) <= tolerance || best.f === 0) return best.x;

    let step = bisection;
    if (Math.abs(lastStep) >= tolerance && Math.abs(previous.f) > Math.abs(best.f)) {
      step = interpolation(previous, best, opposite, lastStep, tolerance) ?? bisection;
    }
    if (Math.abs(step) < tolerance) step = step > 0 ? tolerance : -tolerance;

    previous = best;
    const x = best.x + step;
    best = { x, f: f(x) };
    if ((best.f > 0 && opposite.f > 0) || (best.f < 0 && opposite.f < 0)) opposite = previous;
  }
  return best.x;
}

/** Step of the secant or, with three points, of the inverse parabola; undefined if it would go astray. */
function interpolation(
  previous: Point,
  best: Point,
  opposite: Point,
  lastStep: number,
  tolerance: number,
): number | undefined {
  const span = opposite.x - best.x;
  let p: number;
  let q: number;
  if (previous.x === opposite.x) {
    const slope = best.f / previous.f;
    p = span * slope;
    q = 1 - slope;
  } else {
    const previousToOpposite = previous.f / opposite.f;
    const bestToOpposite = best.f / opposite.f;
    const bestToPrevious = best.f / previous.f;
    p =
      bestToPrevious *
      (span * previousToOpposite * (previousToOpposite - bestToOpposite) -
        (best.x - previous.x) * (bestToOpposite - 1));
    q = (previousToOpposite - 1) * (bestToOpposite - 1) * (bestToPrevious - 1);
  }
  if (p > 0) q = -q;
  else p = -p;
  const within = p < 0.75 * span * q - Math.abs(tolerance * q) / 2 && p < Math.abs((lastStep * q) / 2);
  return within ? p / q : undefined;
}
