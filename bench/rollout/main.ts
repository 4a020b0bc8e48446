/**
 * The live canary, simulated by the code that runs on hosts: how often a version is taken back against itself,
 * and what a bad one costs visitors.
 *
 *   node bench/run.mjs rollout              about a quarter of an hour on two cores
 *   node bench/run.mjs rollout --quick      a tenth of it
 */
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { upperLimit } from '../judge/limits.ts';
import { type Outcome, rollout, type Setting } from './simulate.ts';
import { SAME, type Version, type World } from './world.ts';

const quick = process.argv.includes('--quick');
const only = process.argv.find((word) => word.startsWith('--only='))?.slice('--only='.length);
const SAME_RUNS = quick ? 200 : 2000;
const HARM_RUNS = quick ? 20 : 100;
const WORKERS = 2;
const STEPS = [1, 5, 25, 50, 100];
const HOUR = 3600;

/** About 100 requests a second each. */
const WORLDS: Readonly<Record<string, World>> = {
  'mostly regulars': { sessions: 18, regulars: 2000, regularShare: 0.7, zipf: 0.8, unlucky: 0.02 },
  '200 regulars, half of it by few': {
    sessions: 18,
    regulars: 200,
    regularShare: 1,
    zipf: 1.1,
    unlucky: 0.02,
  },
  'mostly new': { sessions: 18, regulars: 500, regularShare: 0.1, zipf: 0.8, unlucky: 0.02 },
  'failing now and then': { sessions: 18, regulars: 2000, regularShare: 0.5, zipf: 0.8, unlucky: 0.3 },
};

const HARMS: Readonly<Record<string, Version>> = {
  'fails everything': { ...SAME, errors: 1 },
  'errors 0 → 1 %': { ...SAME, errors: 0.01 },
  'errors 0 → 5 %': { ...SAME, errors: 0.05 },
  'p50 worse by a fifth': { ...SAME, slower: 1.2 },
  'p50 worse by half': { ...SAME, slower: 1.5 },
  'p99 worse by half': { ...SAME, tail: 1.5 },
  'half of new visitors leave': { ...SAME, leave: 0.5 },
};

interface Job {
  readonly setting: Setting;
  readonly from: number;
  readonly runs: number;
}

async function many(setting: Setting, runs: number): Promise<readonly Outcome[]> {
  const share = Math.ceil(runs / WORKERS);
  const parts = Array.from({ length: WORKERS }, (_, worker) => ({
    setting,
    from: worker * share,
    runs: Math.min(share, runs - worker * share),
  }));
  return (await Promise.all(parts.map(inWorker))).flat();
}

function inWorker(job: Job): Promise<readonly Outcome[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: job });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const print = (line: string) => process.stdout.write(`${line}\n`);
const share = (of: readonly Outcome[], phase: string) => of.filter((one) => one.phase === phase).length;

async function sameVersion(): Promise<void> {
  print('A version against itself: taken back (upper 95 % limit), promoted, median time');
  for (const [name, world] of Object.entries(WORLDS)) {
    for (const [how, setting, runs] of [
      ['steps 1 → 100 %', { steps: STEPS }, SAME_RUNS],
      ['an hour at 5 %', { steps: [5, 100], paused: true }, SAME_RUNS / 4],
    ] as const) {
      const all = await many({ world, candidate: SAME, atMost: HOUR, ...setting }, runs);
      const back = share(all, 'taken back');
      print(
        `  ${name.padEnd(34)} ${how.padEnd(16)} ${back} of ${runs} (${(100 * upperLimit(back, runs)).toFixed(2)} %)  ` +
          `promoted ${share(all, 'promoted')}  ${median(all.map(({ seconds }) => seconds))} s  ${whyOf(all)}`,
      );
    }
  }
}

function whyOf(all: readonly Outcome[]): string {
  const why = new Map<string, number>();
  for (const { phase, reason } of all) {
    if (phase !== 'taken back' || reason?.kind !== 'harm') continue;
    why.set(reason.metric, (why.get(reason.metric) ?? 0) + 1);
  }
  return [...why].map(([metric, count]) => `${metric} ${count}`).join(', ');
}

async function harmful(): Promise<void> {
  print(
    'Bad versions (mostly regulars): taken back, median seconds, visitors, requests, failed answers; most failed',
  );
  const world = WORLDS['mostly regulars'] as World;
  for (const [name, candidate] of Object.entries(HARMS)) {
    const all = await many({ world, candidate, steps: STEPS, atMost: HOUR }, HARM_RUNS);
    const of = (what: (one: Outcome) => number) => median(all.map(what));
    print(
      `  ${name.padEnd(28)} ${share(all, 'taken back')} of ${all.length}  ${of(({ seconds }) => seconds)} s  ` +
        `${of(({ visitors }) => visitors)} visitors  ${of(({ requests }) => requests)} requests  ` +
        `${of(({ failed }) => failed)} failed; ${Math.max(...all.map(({ failed }) => failed))}  ${whyOf(all)}`,
    );
  }
}

if (isMainThread) {
  if (only !== 'harm') await sameVersion();
  if (only !== 'same') await harmful();
} else {
  const { setting, from, runs } = workerData as Job;
  parentPort?.postMessage(Array.from({ length: runs }, (_, index) => rollout(setting, from + index)));
}
