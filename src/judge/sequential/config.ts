/** Configuration of the sequential judge: defaults, checks, and how the false-alarm budget is divided. */
import { JudgeInputError } from '../input-error.ts';
import type { MetricRole, MetricSettings, QuantileSettings, SequentialConfig } from '../types.ts';

const metric = (
  role: MetricRole,
  weight: number,
  [tolerance, margin, absolute]: readonly [number, number, number],
): MetricSettings => ({ role, weight, tolerance, margin, absolute });

const quantile = (at: number, weight: number, margin: number): QuantileSettings => ({
  quantile: at,
  ...metric('critical', weight, [0.1, margin, 1]),
});

/**
 * The default configuration. Weights of informative metrics count only once they have another role. Two
 * minutes at 100 requests/s usually suffice to decide.
 */
export const defaultSequentialConfig: SequentialConfig = {
  alpha: 0.01,
  promoteAlpha: 0.05,
  intervalLevel: 0.95,
  warmupSeconds: 5,
  minimumSeconds: 15,
  deadlineSeconds: null,
  latencyBlockSeconds: 1,
  gaugeBlockSeconds: 5,
  latencyResolutionMs: 1,
  brokenShare: 0.5,
  traffic: 'interleaved',
  quantiles: [quantile(0.5, 10, 0.15), quantile(0.9, 10, 0.2), quantile(0.99, 13, 0.5)],
  routeWeight: 5,
  metrics: {
    'errors-5xx': metric('critical', 40, [0, 0.25, 0.005]),
    'errors-4xx': metric('critical', 5, [0, 0.25, 0.005]),
    bodies: metric('critical', 8, [0, 0.25, 0.01]),
    restarts: metric('watched', 3, [0, 0, 0]),
    'error-lines': metric('watched', 2, [0, 0, 0]),
    'latency-distribution': metric('watched', 4, [0.1, 0.1, 0.15]),
    size: metric('informative', 5, [0.1, 0.1, 16]),
    cpu: metric('informative', 5, [0.2, 0.3, 0]),
    memory: metric('informative', 5, [0.2, 0.3, 16 * 1024 * 1024]),
  },
};

/**
 * The least tolerance and margin of latency if traffic goes to one side after the other: drifting load makes
 * a version 10 to 15 % slower than itself from one minute to the next. With the ordinary tolerance 13 % of
 * versions were rejected against themselves, with this one 0.3 % (`bench/judge`).
 */
const DRIFT = { tolerance: 0.4, margin: 0.5 };

function acrossTime<T extends MetricSettings>(settings: T): T {
  const { tolerance, margin } = settings;
  return {
    ...settings,
    tolerance: Math.max(tolerance, DRIFT.tolerance),
    margin: Math.max(margin, DRIFT.margin),
  };
}

function withDrift(config: SequentialConfig): SequentialConfig {
  const { quantiles, metrics } = config;
  const whole = acrossTime(metrics['latency-distribution']);
  return {
    ...config,
    quantiles: quantiles.map(acrossTime),
    metrics: { ...metrics, 'latency-distribution': whole },
  };
}

/**
 * What is tolerated of the whole distribution of latency: no less than of any quantile of it. null: not
 * judged.
 */
export function orderTolerance({ metrics, quantiles }: SequentialConfig) {
  const { role, tolerance } = metrics['latency-distribution'];
  if (role === 'informative') return null;
  return {
    tolerance: Math.max(tolerance, ...quantiles.map((settings) => settings.tolerance)),
    absolute: Math.max(0, ...quantiles.map((settings) => settings.absolute)),
  };
}

/** Settings to change; the others keep their defaults, also within `metrics`. */
export type SequentialOptions = Partial<Omit<SequentialConfig, 'metrics'>> & {
  readonly metrics?: { readonly [K in keyof SequentialConfig['metrics']]?: Partial<MetricSettings> };
};

/**
 * The whole configuration. If traffic goes to one side after the other, latency gets at least `DRIFT`.
 * @throws JudgeInputError naming the first setting that makes no sense.
 */
export function sequentialConfig(options: SequentialOptions = {}): SequentialConfig {
  const defaults = defaultSequentialConfig;
  const metrics = Object.fromEntries(
    Object.entries(defaults.metrics).map(([kind, settings]) => [
      kind,
      { ...settings, ...options.metrics?.[kind as keyof SequentialConfig['metrics']] },
    ]),
  ) as unknown as SequentialConfig['metrics'];
  const given = { ...defaults, ...options, metrics };
  const config = given.traffic === 'sequential' ? withDrift(given) : given;
  check(config);
  return config;
}

function check(config: SequentialConfig): void {
  const require = (holds: boolean, path: string, expected: string, found: unknown) => {
    if (!holds) throw new JudgeInputError(`config.${path}`, expected, found);
  };
  for (const key of ['alpha', 'promoteAlpha', 'intervalLevel', 'brokenShare'] as const) {
    require(config[key] > 0 && config[key] < 1, key, 'a number between 0 and 1', config[key]);
  }
  for (const key of ['warmupSeconds', 'minimumSeconds', 'latencyResolutionMs'] as const) {
    require(config[key] >= 0, key, 'a number ≥ 0', config[key]);
  }
  for (const key of ['latencyBlockSeconds', 'gaugeBlockSeconds'] as const) {
    require(Number.isInteger(config[key]) && config[key] > 0, key, 'a whole number of seconds ≥ 1', config[
      key
    ]);
  }
  const traffic = config.traffic;
  require(traffic === 'interleaved' ||
    traffic === 'sequential', 'traffic', 'interleaved or sequential', traffic);
  const named = [
    ...Object.entries(config.metrics).map(([kind, settings]) => [`metrics.${kind}`, settings] as const),
    ...config.quantiles.map((settings, i) => [`quantiles[${i}]`, settings] as const),
    ...Object.entries(config.own ?? {}).map(([name, settings]) => [`own.${name}`, settings] as const),
  ];
  for (const [path, { role, weight, tolerance, margin, absolute }] of named) {
    require(['critical', 'watched', 'informative'].includes(
      role,
    ), `${path}.role`, 'critical, watched or informative', role);
    require(weight >= 0 &&
      (weight > 0 || role === 'informative'), `${path}.weight`, 'a number above 0', weight);
    require(tolerance >= 0, `${path}.tolerance`, 'a number ≥ 0', tolerance);
    require(margin >= tolerance, `${path}.margin`, 'a number, at least the tolerance', margin);
    require(absolute >= 0, `${path}.absolute`, 'a number ≥ 0', absolute);
  }
  const wholes = config.metrics['latency-distribution'].role;
  require(wholes !== 'critical', 'metrics.latency-distribution.role', 'watched or informative', wholes);
  for (const [i, { quantile: at }] of config.quantiles.entries()) {
    require(at > 0 && at < 1, `quantiles[${i}].quantile`, 'a number between 0 and 1', at);
  }
}

/** Sum of the weights that divide α: those of all metrics that can fail the canary. */
function totalWeight({ metrics, quantiles, routeWeight, own = {} }: SequentialConfig): number {
  const deciding = [...Object.values(metrics), ...quantiles, ...Object.values(own)].filter(
    (settings) => settings.role !== 'informative',
  );
  return deciding.reduce((sum, settings) => sum + settings.weight, routeWeight);
}

/** Share of α for a metric; an informative one decides nothing and is tested at α by itself. */
export function alphaShare(config: SequentialConfig, settings: MetricSettings): number {
  return settings.role === 'informative' ? 1 : settings.weight / totalWeight(config);
}

/**
 * Share of α for one quantile of the `order`-th route that appeared (from 1): routeWeight/(order·(order +
 * 1)), which sums to routeWeight over however many routes there will be.
 */
export function routeAlphaShare(config: SequentialConfig, order: number): number {
  return (
    config.routeWeight / (totalWeight(config) * order * (order + 1) * Math.max(1, config.quantiles.length))
  );
}
