/** What rules of one's own may speak of. How each is computed: `alerts/own-rules/compute.ts`. */

/** How a value is written. */
export type Dimension = 'share' | 'time' | 'bytes' | 'bytes a second' | 'times a second' | 'number';

export interface Quantity {
  /** What has it: its name may stand after `on`. */
  readonly about: 'host' | 'app';
  /** Of what: its name stands after `of`. Absent: of the host or application as a whole. */
  readonly part?: 'mount' | 'interface' | 'unit' | 'check' | 'database' | 'route';
  readonly dimension: Dimension;
}

const host = (dimension: Dimension, part?: Quantity['part']): Quantity => ({
  about: 'host',
  dimension,
  ...(part === undefined ? {} : { part }),
});
const app = (dimension: Dimension): Quantity => ({ about: 'app', dimension });
const route = (dimension: Dimension): Quantity => ({ about: 'app', part: 'route', dimension });

export const QUANTITIES = {
  cpu: host('share'),
  iowait: host('share'),
  steal: host('share'),
  load: host('number'),
  memory: host('share'),
  swap: host('share'),
  'cpu pressure': host('share'),
  'memory pressure': host('share'),
  'disk pressure': host('share'),
  disk: host('share', 'mount'),
  inodes: host('share', 'mount'),
  'disk busy': host('share', 'mount'),
  'disk read': host('bytes a second', 'mount'),
  'disk written': host('bytes a second', 'mount'),
  'network received': host('bytes a second', 'interface'),
  'network sent': host('bytes a second', 'interface'),
  'unit cpu': host('number', 'unit'),
  'unit memory': host('bytes', 'unit'),
  'unit restarts': host('number', 'unit'),
  'check duration': host('time', 'check'),
  'database connections': host('number', 'database'),
  'database size': host('bytes', 'database'),
  requests: app('times a second'),
  errors: app('share'),
  rejected: app('share'),
  latency: app('time'),
  size: app('bytes'),
  traffic: app('bytes a second'),
  'route requests': route('times a second'),
  'route errors': route('share'),
  'route rejected': route('share'),
  'route latency': route('time'),
  'route size': route('bytes'),
} as const satisfies Readonly<Record<string, Quantity>>;

export type QuantityName = keyof typeof QUANTITIES;

export const QUANTITY_NAMES = Object.keys(QUANTITIES) as readonly QuantityName[];

export function quantityOf(name: QuantityName): Quantity {
  return QUANTITIES[name];
}

/** Those of which a quantile is asked for: `latency p99`. */
export function hasQuantile(name: QuantityName): boolean {
  return /latency|size$/.test(name) && quantityOf(name).about === 'app';
}
