/**
 * numenta/NAB: gauges read every few minutes, with windows in which people marked an anomaly.
 *
 * A window is compared with the same time of the day before it. Most are spikes within a day's window, so
 * only a part of them is a difference that lasts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seeded } from '../judge/random.ts';
import { dealTicks, type Trial } from './trial.ts';

const SET = 'NAB';
const DAY_MS = 86_400_000;
const SPLIT_READINGS = 240;
const FEWEST_READINGS = 24;

interface Series {
  readonly name: string;
  readonly readings: readonly { readonly at: number; readonly value: number }[];
  readonly windows: readonly (readonly [number, number])[];
}

export function nab(folder: string, splits: number): Trial[] {
  const labels = JSON.parse(readFileSync(join(folder, 'labels/combined_windows.json'), 'utf8')) as Record<
    string,
    [string, string][]
  >;
  const all = Object.entries(labels)
    .filter(([name]) => name.startsWith('real'))
    .map(([name, windows]) => seriesOf(folder, name, windows));
  const calm = all
    .map(({ readings, windows }) =>
      readings.filter(({ at }) => !isWithin(windows, at)).map(({ value }) => value),
    )
    .filter((values) => values.length > SPLIT_READINGS);
  return [
    ...Array.from({ length: splits }, (_, i) => split(calm[i % calm.length] as number[], i)),
    ...all.flatMap((series) => series.windows.flatMap((window) => anomaly(series, window))),
  ];
}

function seriesOf(folder: string, name: string, windows: readonly (readonly [string, string])[]): Series {
  const readings = readFileSync(join(folder, 'data', name), 'utf8')
    .split(/\r?\n/)
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.split(','))
    .map(([time = '', value = '']) => ({ at: time_(time), value: Number(value) }));
  return { name, readings, windows: windows.map(([from, to]) => [time_(from), time_(to)] as const) };
}

const time_ = (text: string) => Date.parse(`${text.replace(' ', 'T').slice(0, 19)}Z`);

const isWithin = (windows: Series['windows'], at: number) =>
  windows.some(([from, to]) => at >= from && at <= to);

function split(values: readonly number[], seed: number): Trial {
  const random = seeded(seed);
  const start = Math.floor(random.uniform() * (values.length - SPLIT_READINGS));
  const ticks = dealTicks(values.slice(start, start + SPLIT_READINGS), random);
  return { set: SET, row: 'readings dealt', faultFree: true, ticks };
}

function anomaly({ name, readings, windows }: Series, [from, to]: readonly [number, number]): Trial[] {
  const byTime = new Map(readings.map(({ at, value }) => [at, value]));
  const ticks = readings
    .filter(({ at }) => at >= from && at <= to && !isWithin(windows, at - DAY_MS))
    .flatMap(({ at, value }) => {
      const baseline = byTime.get(at - DAY_MS);
      return baseline === undefined ? [] : [{ baseline, candidate: value }];
    });
  if (ticks.length < FEWEST_READINGS) return [];
  return [{ set: SET, row: name.split('/')[0] ?? name, faultFree: false, ticks }];
}
