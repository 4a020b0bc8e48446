/** Values of rules as people write them: `800ms`, `90 %`, `2GB`, `100/s`. Pure. */
import { RuleMistake } from './mistake.ts';
import type { Dimension } from './quantities.ts';
import type { Token } from './tokens.ts';

const SECOND = 1000;
const TIMES: Units = {
  ms: 1,
  s: SECOND,
  m: 60 * SECOND,
  min: 60 * SECOND,
  h: 3600 * SECOND,
  d: 86_400 * SECOND,
};
const SIZES: Units = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

type Units = Readonly<Record<string, number>>;

const perSecond = (units: Units): Units =>
  Object.fromEntries(Object.entries(units).map(([unit, size]) => [`${unit}/s`, size]));

const FORMS: Readonly<Record<Dimension, { readonly units: Units; readonly expected: string }>> = {
  share: { units: { '%': 0.01, '': 1 }, expected: 'a share like 90% or 0.9' },
  time: { units: TIMES, expected: 'a duration like 800ms or 2s' },
  bytes: { units: SIZES, expected: 'a size like 500MB or 2GiB' },
  'bytes a second': { units: perSecond(SIZES), expected: 'a rate like 10MB/s' },
  'times a second': {
    units: { '': 1, '/s': 1, '/min': 1 / 60, '/m': 1 / 60, '/h': 1 / 3600 },
    expected: 'a rate like 100/s or 5/min',
  },
  number: { units: { '': 1 }, expected: 'a number without a unit' },
};

/** @throws RuleMistake for a value of another dimension */
export function readValue(token: Token, dimension: Dimension): number {
  const { units, expected } = FORMS[dimension];
  const value = read(token, units, expected);
  if (dimension === 'share' && value > 1)
    throw new RuleMistake(token.at, `a share is at most 100 %, found "${token.text}": write 90% or 0.9`);
  return value;
}

/** @throws RuleMistake */
export function durationOf(token: Token): number {
  const ms = read(token, TIMES, 'a duration like 5m');
  if (ms > 86_400 * SECOND) throw new RuleMistake(token.at, 'a rule waits for at most 24h');
  return ms;
}

function read({ at, text }: Token, units: Units, expected: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(\D*)$/.exec(text) ?? [];
  const size = number !== '' && Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (size === undefined) throw new RuleMistake(at, `expected ${expected}, found "${text}"`);
  return Number(number) * size;
}
