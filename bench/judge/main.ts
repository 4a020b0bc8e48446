/**
 * The judges measured: false alarms with a version against itself, requests until a regression is found, time
 * that judging takes.
 *
 *   npm run bench judge              about five minutes on two cores
 *   npm run bench judge -- --quick   a tenth of it
 *   npm run bench judge -- --overload   only what lies near and beyond what the services carry
 */
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { bounds } from './bound.ts';
import { type FirstPass, firstPass, firstPasses } from './first-pass.ts';
import { upperLimit } from './limits.ts';
import { OVERLOADS, type OverloadRun, overloaded } from './overload.ts';
import { type DetectionRun, detection, type SameVersionRun, sameVersion } from './runs.ts';
import type { Behaviour } from './simulate.ts';
import { timings } from './timings.ts';

const WORKERS = 2;
const quick = process.argv.includes('--quick');
const onlyOverload = process.argv.includes('--overload');
const SAME_VERSION_RUNS = quick ? 200 : 2000;
/** The same under worse circumstances, to show what the bound rests on. */
const OTHER_RUNS = quick ? 40 : 300;
const OVERLOAD_RUNS = quick ? 20 : 200;
const DETECTION_RUNS = quick ? 6 : 40;
const PASS_RUNS = quick ? 20 : 200;
/** Seconds after which a regression counts as not found. */
const LIMIT = 900;

interface Regression {
  readonly name: string;
  readonly baseline: Partial<Behaviour>;
  readonly candidate: Partial<Behaviour>;
}
const REGRESSIONS: readonly Regression[] = [
  { name: 'all requests fail', baseline: {}, candidate: { errors: 1 } },
  { name: 'errors 1 % → 2 %', baseline: { errors: 0.01 }, candidate: { errors: 0.02 } },
  { name: 'errors 0 → 1 %', baseline: {}, candidate: { errors: 0.01 } },
  { name: 'one wrong body in fifty', baseline: {}, candidate: { wrongBodies: 0.02 } },
  { name: 'p50 worse by a fifth', baseline: {}, candidate: { slower: 1.2 } },
  { name: 'p99 worse by half', baseline: {}, candidate: { tail: 1.5 } },
];

interface Answer {
  readonly same: readonly SameVersionRun[];
  readonly noisy: readonly SameVersionRun[];
  readonly oneAfterTheOther: readonly SameVersionRun[];
  readonly found: readonly (readonly DetectionRun[])[];
  readonly passes: readonly FirstPass[];
  readonly overloads: readonly (readonly OverloadRun[])[];
}

/** Every `WORKERS`-th run from `first`. */
function work(first: number): Answer {
  const seeds = (count: number) =>
    Array.from({ length: count }, (_, seed) => seed).filter((seed) => seed % WORKERS === first);
  const overloads = OVERLOADS.map((overload, i) =>
    seeds(OVERLOAD_RUNS).map((seed) => overloaded(overload, 1_000_000 * (i + 1) + seed)),
  );
  if (onlyOverload) return { same: [], noisy: [], oneAfterTheOther: [], found: [], passes: [], overloads };
  return {
    same: seeds(SAME_VERSION_RUNS).map((seed) => sameVersion(seed)),
    noisy: seeds(OTHER_RUNS).map((seed) => sameVersion(seed, { ownNoise: 3 })),
    oneAfterTheOther: seeds(SAME_VERSION_RUNS).map((seed) => sameVersion(seed, { traffic: 'sequential' })),
    found: REGRESSIONS.map(({ baseline, candidate }, i) =>
      seeds(DETECTION_RUNS).map((seed) => detection(baseline, candidate, LIMIT, 1_000_000 * (i + 1) + seed)),
    ),
    passes: seeds(PASS_RUNS).map(firstPass),
    overloads,
  };
}

if (isMainThread) {
  const start = performance.now();
  const file = fileURLToPath(import.meta.url);
  const answers = await Promise.all(
    Array.from({ length: WORKERS }, (_, first) => {
      const worker = new Worker(file, { workerData: { first }, argv: process.argv.slice(2) });
      return new Promise<Answer>((resolve, reject) => worker.once('message', resolve).once('error', reject));
    }),
  );
  if (!onlyOverload) {
    reportSameVersion(
      'A version against itself',
      answers.flatMap((answer) => answer.same),
    );
    reportSameVersion(
      "The same, each host's own noise and pauses tripled",
      answers.flatMap((answer) => answer.noisy),
    );
    reportSameVersion(
      'The same, all traffic to one and then to the other',
      answers.flatMap((answer) => answer.oneAfterTheOther),
      false,
    );
    reportDetection(REGRESSIONS.map((_, i) => answers.flatMap((answer) => answer.found[i] ?? [])));
  }
  reportOverloads(OVERLOADS.map((_, i) => answers.flatMap((answer) => answer.overloads[i] ?? [])));
  if (!onlyOverload) {
    for (const line of firstPasses(answers.flatMap((answer) => answer.passes))) console.log(line);
    for (const line of bounds()) console.log(line);
    for (const line of timings()) console.log(line);
  }
  console.log(`\n(${((performance.now() - start) / 1000).toFixed(0)} s in all)`);
} else {
  parentPort?.postMessage(work((workerData as { first: number }).first));
}

/** `kayenta`: also Kayenta's answers, which need traffic to both sides in each minute. */
function reportSameVersion(title: string, runs: readonly SameVersionRun[], kayenta = true): void {
  const count = (name: string, hits: number) => {
    const share = ((100 * hits) / runs.length).toFixed(2);
    console.log(
      `  ${name.padEnd(44)} ${String(hits).padStart(5)}  ${share.padStart(6)} %  ≤ ` +
        `${(100 * upperLimit(hits, runs.length)).toFixed(2)} %`,
    );
  };
  console.log(`${title}: ${runs.length} experiments of two minutes, 100 requests/s`);
  console.log(`  ${''.padEnd(44)}  runs    share    95 % upper limit (Clopper-Pearson)`);
  count('sequential: rolled back (goal ≤ 1 %)', runs.filter((run) => run.alarms.length > 0).length);
  for (const name of new Set(runs.flatMap((run) => run.alarms))) {
    count(`  alarm of ${name}`, runs.filter((run) => run.alarms.includes(name)).length);
  }
  for (const name of ['cpu for each request', 'memory', 'response size', 'latency distribution']) {
    count(
      `  ${name} called different (informs only)`,
      runs.filter((run) => run.informed.includes(name)).length,
    );
  }
  count('sequential: passed within two minutes', runs.filter((run) => run.outcome === 'passed').length);
  if (kayenta)
    count('kayenta at one-minute points: not passed', runs.filter((run) => run.kayentaObjects).length);
}

function reportDetection(found: readonly (readonly DetectionRun[])[]): void {
  console.log(
    '\nRequests (both sides) until the candidate is rejected: median, and share of experiments in ' +
      'which it ever is',
  );
  console.log(
    `  ${''.padEnd(26)} ${'sequential'.padStart(22)} ${'passed by mistake'.padStart(18)} ` +
      `${'kayenta, each minute'.padStart(22)}`,
  );
  for (const [i, runs] of found.entries()) {
    const passed = `${Math.round((100 * runs.filter((run) => run.passed).length) / runs.length)} %`;
    console.log(
      `  ${(REGRESSIONS[i]?.name ?? '').padEnd(26)} ` +
        `${summary(runs.map((run) => run.sequential)).padStart(22)} ${passed.padStart(18)} ` +
        `${summary(runs.map((run) => run.kayenta)).padStart(22)}`,
    );
  }
}

function reportOverloads(all: readonly (readonly OverloadRun[])[]): void {
  console.log(
    '\nNear and beyond what the services carry: one process each, two minutes, 100 requests/s; the whole ' +
      'verdict with its guard against queues',
  );
  console.log(`  ${''.padEnd(36)} failed (95 % upper limit)   passed   inconclusive`);
  const line = (name: string, runs: readonly OverloadRun[]) => {
    const of = (outcome: OverloadRun) => runs.filter((run) => run === outcome).length;
    const share = (outcome: OverloadRun) => `${((100 * of(outcome)) / runs.length).toFixed(1)} %`;
    const failed = `${share('failed')} (≤ ${(100 * upperLimit(of('failed'), runs.length)).toFixed(1)} %)`;
    console.log(
      `  ${name.padEnd(36)} ${failed.padEnd(25)} ${share('passed').padStart(8)} ` +
        `${share('inconclusive').padStart(14)}`,
    );
  };
  for (const [i, runs] of all.entries()) line(OVERLOADS[i]?.name ?? '', runs);
  line('all of a version against itself', all.filter((_, i) => OVERLOADS[i]?.worse === false).flat());
}

/** Median over all runs, what was not found counting as more than everything. */
function summary(requests: readonly (number | null)[]): string {
  const sorted = requests.map((value) => value ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const share = Math.round((100 * requests.filter((value) => value !== null).length) / requests.length);
  return `${Number.isFinite(median) ? median.toLocaleString('en-US') : 'not found'} (${share} %)`;
}
