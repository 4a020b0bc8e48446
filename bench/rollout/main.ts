/**
 * The rollout, simulated by the code that runs on hosts: how often a version is taken back against
 * itself, and what a bad one costs visitors.
 *
 *   node bench/run.mjs rollout               2,000 rounds: about half an hour on two cores
 *   node bench/run.mjs rollout --rounds 200  a tenth of it
 *   node bench/run.mjs rollout --only same   or: laboratory, harm
 *   node bench/run.mjs rollout --hosts 1     on a real host instead: about ten minutes; --rounds 3
 *                                            three times; --only 'ten times': rows of this name
 *   node bench/run.mjs rollout --hosts 5 --only same --rounds 100
 *                                            a hundred against itself, on five hosts: about an hour
 */
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { upperLimit } from '../judge/limits.ts';
import { seeded } from '../judge/random.ts';
import { rejectsItself } from './laboratory.ts';
import { argo, flagger, type Measured, type Other } from './others.ts';
import { type Outcome, rollout, type Setting } from './simulate.ts';
import { P99, SAME, type Version, type World } from './world.ts';

const WORKERS = 2;
const STEPS = [1, 5, 25, 50, 100];
const HOUR = 3600;

/** About 100 requests a second each. */
const REGULARS: World = { sessions: 18, regulars: 2000, regularShare: 0.7, zipf: 0.8, unlucky: 0.02 };
const FEW: World = { sessions: 18, regulars: 200, regularShare: 1, zipf: 1.1, unlucky: 0.02 };
const NEW: World = { sessions: 18, regulars: 500, regularShare: 0.1, zipf: 0.8, unlucky: 0.02 };

interface Row {
  readonly name: string;
  readonly setting: Setting;
  /** Of all rounds. */
  readonly share: number;
}

const plain = { candidate: SAME, steps: STEPS, atMost: HOUR };
const SAME_ROWS: readonly Row[] = [
  { name: 'mostly regulars', setting: { ...plain, world: REGULARS }, share: 1 },
  { name: 'mostly new visitors', setting: { ...plain, world: NEW }, share: 1 },
  { name: '200 regulars, few of them half of it', setting: { ...plain, world: FEW }, share: 0.25 },
  {
    name: 'a third fails now and then',
    setting: { ...plain, world: { ...REGULARS, unlucky: 0.3 } },
    share: 0.25,
  },
  {
    name: 'both fail every five minutes',
    setting: { ...plain, world: { ...REGULARS, outages: 300 } },
    share: 0.25,
  },
  { name: 'cold: five times as slow at first', setting: { ...plain, world: NEW, cold: 5 }, share: 0.25 },
  { name: 'by address', setting: { ...plain, world: NEW, by: 'address' }, share: 0.25 },
  {
    name: 'by request',
    setting: { ...plain, world: { ...NEW, byRequest: true }, by: 'request' },
    share: 0.25,
  },
  {
    name: 'an hour at 5 %',
    setting: { ...plain, world: REGULARS, steps: [5, 100], paused: true },
    share: 0.1,
  },
  { name: 'an hour at 50 %', setting: { ...plain, world: NEW, steps: [50, 100], paused: true }, share: 0.1 },
];

const HARMS: readonly (readonly [string, Version])[] = [
  ['fails everything', { ...SAME, errors: 1 }],
  ['errors 0 → 1 %', { ...SAME, errors: 0.01 }],
  ['errors 0 → 5 %', { ...SAME, errors: 0.05 }],
  ['ten times as slow', { ...SAME, slower: 10 }],
  ['three times as slow', { ...SAME, slower: 3 }],
  ['p50 worse by a fifth', { ...SAME, slower: 1.2 }],
  ['p50 worse by half', { ...SAME, slower: 1.5 }],
  ['p99 worse by half', { ...SAME, slowest: 1.5 }],
  ["each visitor's p99 worse by half", { ...SAME, tail: 1.5 }],
  ['half of new visitors leave', { ...SAME, leave: 0.5 }],
];

/** `percent`: the candidate's share of the visitors. */
type Task =
  | { readonly kind: 'rollout'; readonly setting: Setting }
  | { readonly kind: 'laboratory'; readonly world: World; readonly percent: number };

type Job = Task & { readonly from: number; readonly runs: number };

async function many<T>(task: Task, runs: number): Promise<readonly T[]> {
  const share = Math.ceil(runs / WORKERS);
  const jobs = Array.from({ length: WORKERS }, (_, worker) => worker * share).map(
    (from): Job => ({ ...task, from, runs: Math.max(0, Math.min(share, runs - from)) }),
  );
  return (await Promise.all(jobs.map((job) => inWorker<T>(job)))).flat();
}

function inWorker<T>(job: Job): Promise<readonly T[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: job });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

const print = (line: string) => process.stdout.write(`${line}\n`);

function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? Number.NaN;
}

const count = (of: readonly Outcome[], phase: string) => of.filter((one) => one.phase === phase).length;
const limit = (hits: number, runs: number) =>
  `${hits} of ${runs} (≤ ${(100 * upperLimit(hits, runs)).toFixed(2)} %)`;

async function sameVersion(rounds: number): Promise<void> {
  print(
    'A version against itself: taken back (upper 95 % limit), promoted, held; median time until promoted',
  );
  let hits = 0;
  let runs = 0;
  for (const { name, setting, share } of SAME_ROWS) {
    const all = await many<Outcome>({ kind: 'rollout', setting }, Math.ceil(rounds * share));
    const back = count(all, 'taken back');
    hits += back;
    runs += all.length;
    const promoted = all.filter(({ phase }) => phase === 'promoted').map(({ seconds }) => seconds);
    const time = promoted.length === 0 ? '' : `  ${quantile(promoted, 0.5)} s`;
    const ends = `promoted ${promoted.length}  held ${count(all, 'held')}${time}`;
    print(`  ${name.padEnd(38)} ${limit(back, all.length).padEnd(24)} ${ends}  ${whyOf(all)}`);
  }
  print(`  ${'together'.padEnd(38)} ${limit(hits, runs)}`);
}

function whyOf(all: readonly Outcome[]): string {
  const why = new Map<string, number>();
  for (const { phase, reason } of all) {
    if (phase !== 'taken back' || reason?.kind !== 'harm') continue;
    why.set(reason.metric, (why.get(reason.metric) ?? 0) + 1);
  }
  return [...why].map(([metric, times]) => `${metric} ${times}`).join(', ');
}

/** Beside it, so that the reason for another judge is seen. */
async function laboratory(rounds: number): Promise<void> {
  print("The laboratory's judge on visitors instead of requests, the same version for two minutes: rejected");
  for (const [name, world] of [
    ['200 regulars, few of them half of it', FEW],
    ['mostly regulars', REGULARS],
  ] as const) {
    for (const percent of [50, 5]) {
      const all = await many<boolean>({ kind: 'laboratory', world, percent }, Math.ceil(rounds / 10));
      print(`  ${name.padEnd(38)} at ${percent} %: ${limit(all.filter(Boolean).length, all.length)}`);
    }
  }
}

async function harmful(rounds: number): Promise<void> {
  print('Bad versions on a site of mostly regulars at 100 requests/s, until the end; medians');
  for (const [name, candidate] of HARMS) {
    const setting = { ...plain, world: REGULARS, candidate };
    const all = await many<Outcome>({ kind: 'rollout', setting }, Math.ceil(rounds / 10));
    const back = `taken back ${count(all, 'taken back')} of ${all.length}`;
    const of = (what: (one: Outcome) => number) => quantile(all.map(what), 0.5);
    const failed = all.map((one) => one.failed);
    const cost = [
      `${of(({ seconds }) => seconds)} s`,
      `${of(({ visitors }) => visitors)} visitors`,
      `${of(({ requests }) => requests)} requests`,
      `${quantile(failed, 0.5)} failed (95th: ${quantile(failed, 0.95)}, most: ${Math.max(...failed)})`,
    ];
    const promoted = `promoted ${count(all, 'promoted')}`;
    print(`  ${name.padEnd(28)} ours     ${back}, ${promoted}: ${cost.join('  ')}  ${whyOf(all)}`);
    const measured = { errors: candidate.errors, p99: P99 * candidate.slower * candidate.slowest };
    others('Flagger', flagger, measured);
    others('Argo', argo, measured);
  }
}

function others(name: string, of: typeof flagger, measured: Measured): void {
  const all = Array.from({ length: 1000 }, (_, seed): Other => of(measured, seeded(seed)));
  const back = all.filter(({ takenBack }) => takenBack).length;
  const median = (what: (one: Other) => number) => quantile(all.map(what), 0.5);
  print(
    `  ${''.padEnd(28)} ${name.padEnd(8)} taken back ${back} of ${all.length}, else promoted: ` +
      `${median(({ seconds }) => seconds)} s  ${median(({ requests }) => requests)} requests  ` +
      `${median(({ failed }) => failed)} failed`,
  );
}

function argument(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

function work(job: Job): readonly unknown[] {
  const seeds = Array.from({ length: job.runs }, (_, index) => job.from + index);
  return job.kind === 'rollout'
    ? seeds.map((seed) => rollout(job.setting, seed))
    : seeds.map((seed) => rejectsItself(job.world, job.percent, seed));
}

if (isMainThread) {
  const only = argument('only');
  const hosts = argument('hosts');
  if (hosts !== undefined) {
    if (only === 'same') {
      const { againstItself } = await import('./itself.ts');
      await againstItself(Number(hosts), Number(argument('rounds') ?? 100));
    } else {
      const { onHosts } = await import('./hosts.ts');
      await onHosts(Number(argument('rounds') ?? 1), only);
    }
    process.exit();
  }
  const rounds = Number(argument('rounds') ?? 2000);
  if (only === undefined || only === 'harm') await harmful(rounds);
  if (only === undefined || only === 'laboratory') await laboratory(rounds);
  if (only === undefined || only === 'same') await sameVersion(rounds);
} else parentPort?.postMessage(work(workerData as Job));
