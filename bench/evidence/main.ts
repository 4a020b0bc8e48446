/**
 * The judge on data that nobody here wrote, beside Kayenta's judge, savvi's count test and confseq's quantile
 * test.
 *
 *   node bench/run.mjs evidence --data DIR [--python python3] [--splits 500] [--set Nezha]
 *
 * DIR holds `Nezha`, `petshop` and `NAB`: checkouts of IntelligentDDS/Nezha,
 * amazon-science/petshop-root-cause-analysis and numenta/NAB. Python needs savvi and confseq (PyPI).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { upperLimit } from '../judge/limits.ts';
import { foundAt, kayenta, type Others, others, sequential } from './judges.ts';
import { nab } from './nab.ts';
import { nezha } from './nezha.ts';
import { petshop } from './petshop.ts';
import type { Trial } from './trial.ts';

const ALPHA = 0.01;

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    /** Absent: without savvi and confseq. */
    python: { type: 'string' },
    splits: { type: 'string', default: '500' },
    set: { type: 'string' },
  },
});
const SETS = { Nezha: nezha, petshop, NAB: nab };
const splits = Number(values.splits);

interface Found {
  readonly trial: Trial;
  readonly sequential: number | null;
  readonly by: readonly string[];
  readonly kayenta: number | null;
  readonly others: Others;
}

const folder = values.data ?? '';
const wanted = Object.entries(SETS).filter(
  ([name]) => existsSync(join(folder, name)) && (values.set ?? name).toLowerCase() === name.toLowerCase(),
);
if (wanted.length === 0) {
  console.error('Nothing to judge: --data DIR, with Nezha, petshop or NAB in it.');
  process.exit(2);
}
for (const [name, read] of wanted) {
  const trials = read(join(folder, name), splits);
  const [python, ours] = await Promise.all([askOthers(trials), judged(trials)]);
  const found = trials.map((trial, i) => {
    const { found: at, by, kayenta: theirs } = ours[i] as (typeof ours)[number];
    return { trial, sequential: at, by, kayenta: theirs, others: python[i] as Others };
  });
  report(name, found);
}

async function askOthers(trials: readonly Trial[]): Promise<readonly Others[]> {
  return values.python === undefined
    ? trials.map(() => ({ savvi: [], confseq: [] }))
    : others(trials, values.python);
}

async function judged(trials: readonly Trial[]) {
  const all: (ReturnType<typeof sequential> & { kayenta: number | null })[] = [];
  for (const trial of trials) {
    all.push({ ...sequential(trial), kayenta: kayenta(trial) });
    // Python's answers are read in between.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return all;
}

/** The error levels at which savvi and confseq really reject no more than 1 % of fault-free trials. */
interface Levels {
  readonly savvi: number;
  readonly confseq: number;
}

function report(name: string, found: readonly Found[]): void {
  const calm = found.filter(({ trial }) => trial.faultFree);
  const levels = { savvi: calibrated(calm, 'savvi'), confseq: calibrated(calm, 'confseq') };
  console.log(`\n${name}: rejected of fault-free trials (95 % upper limit)`);
  console.log('| dealt | trials | sequential | kayenta | savvi | confseq |\n|---|---|---|---|---|---|');
  for (const [row, rows] of byRow(calm)) {
    const share = (hits: number) => `${hits} (≤ ${(100 * upperLimit(hits, rows.length)).toPrecision(2)} %)`;
    const cells = timesOf(rows, { savvi: ALPHA, confseq: ALPHA }).map((times) =>
      share(times.filter((time) => time !== null).length),
    );
    console.log(`| ${row} | ${rows.length} | ${cells.join(' | ')} |`);
  }
  console.log(`savvi and confseq reject at most 1 % of each row at ${words(levels)}.`);
  console.log(`${name}: fault against fault-free: found, after a median of`);
  console.log(
    '| fault | trials | sequential | kayenta | savvi | confseq | savvi, 1 % here | confseq, 1 % here | by |\n' +
      '|---|---|---|---|---|---|---|---|---|',
  );
  for (const [row, rows] of byRow(found.filter(({ trial }) => !trial.faultFree))) {
    const [ours = [], theirs = [], ...nominal] = timesOf(rows, { savvi: ALPHA, confseq: ALPHA });
    const [, , ...level] = timesOf(rows, levels);
    const cells = [ours, theirs, ...nominal, ...level].map(median);
    const by = [...new Set(rows.flatMap((one) => one.by))].join(', ');
    console.log(`| ${row} | ${rows.length} | ${cells.join(' | ')} | ${by} |`);
  }
}

/** Of sequential, kayenta, savvi and confseq. */
function timesOf(rows: readonly Found[], { savvi, confseq }: Levels): (number | null)[][] {
  return [
    rows.map((one) => one.sequential),
    rows.map((one) => one.kayenta),
    rows.map((one) => foundAt(one.others.savvi, savvi)),
    rows.map((one) => foundAt(one.others.confseq, confseq)),
  ];
}

/** The largest level, up to `ALPHA`, at which no row of fault-free trials has more than `ALPHA` rejected. */
function calibrated(calm: readonly Found[], which: keyof Levels): number {
  const limits = [...byRow(calm).values()].map((rows) => {
    const lowest = rows
      .map((one) => Math.min(1, ...one.others[which].map(([, p]) => p)))
      .sort((a, b) => a - b);
    const first = lowest[Math.floor(ALPHA * rows.length)] ?? 1;
    return first * (1 - 1e-9);
  });
  return Math.min(ALPHA, ...limits);
}

function words({ savvi, confseq }: Levels): string {
  return `levels of ${savvi.toPrecision(2)} and ${confseq.toPrecision(2)}`;
}

function byRow(found: readonly Found[]): ReadonlyMap<string, readonly Found[]> {
  const rows = new Map<string, Found[]>();
  for (const one of found) rows.set(one.trial.row, [...(rows.get(one.trial.row) ?? []), one]);
  return rows;
}

/** `5 of 6, 14 s`: how many, and the median of all, what was not found counting as more than everything. */
function median(times: readonly (number | null)[]): string {
  const sorted = times.map((time) => time ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  const hits = times.filter((time) => time !== null).length;
  return hits === 0 ? '0' : `${hits}, ${Number.isFinite(middle) ? middle : 'more'}`;
}
