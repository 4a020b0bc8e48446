/** Maps data to pixels, and chooses an axis's marks. */

export interface Scale {
  (value: number): number;
  readonly ticks: readonly number[];
}

/** A linear scale with its end rounded up, and about `count` marks. */
export function linearScale(
  domain: readonly [number, number],
  range: readonly [number, number],
  count = 4,
): Scale {
  const [low, wanted] = domain;
  const step = roundStep((wanted - low) / count || 1);
  const high = low + Math.max(1, Math.ceil((wanted - low) / step - 1e-9)) * step;
  return withTicks(
    (value) => range[0] + ((value - low) / (high - low)) * (range[1] - range[0]),
    stepsBetween(low, high, step),
  );
}

/** A linear scale for time: it ends with the data, and has marks at round seconds or minutes. */
export function timeScale(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const span = Math.max(1, domain[1] - domain[0]);
  const step =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((candidate) => span / candidate <= 6) ??
    span / 5;
  return withTicks(
    (value) => range[0] + ((value - domain[0]) / span) * (range[1] - range[0]),
    stepsBetween(domain[0], domain[0] + span, step),
  );
}

/**
 * A logarithmic scale with marks at 1, 2 and 5 of each power of ten, or only at powers if those would be
 * many.
 */
export function logScale(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const low = Math.log(domain[0]);
  const span = Math.log(domain[1]) - low || 1;
  const ticks: number[] = [];
  const digits = span > Math.log(2000) ? [1] : [1, 2, 5];
  for (let power = Math.floor(Math.log10(domain[0])); 10 ** power <= domain[1]; power++) {
    for (const digit of digits) {
      const tick = digit * 10 ** power;
      if (tick >= domain[0] * 0.999 && tick <= domain[1] * 1.001) ticks.push(tick);
    }
  }
  return withTicks((value) => range[0] + ((Math.log(value) - low) / span) * (range[1] - range[0]), ticks);
}

function withTicks(map: (value: number) => number, ticks: readonly number[]): Scale {
  return Object.assign(map, { ticks });
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const digit = [1, 2, 2.5, 5, 10].find((candidate) => candidate * power >= rough * 0.999) ?? 10;
  return digit * power;
}

function stepsBetween(low: number, high: number, step: number): number[] {
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}
