/**
 * IntelligentDDS/Nezha: spans of two microservice applications, three minutes around each injected fault.
 *
 * A request of a service is a span whose parent is no span of the same pod; it took as long as its caller
 * waited, so that a slow network counts. Fault-free is what came before an injection, and the minute of
 * `construct_data`. Train Ticket's logs say which traces met an error.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seeded } from '../judge/random.ts';
import { type Answer, compare, dealRequests, dealTicks, type Trial } from './trial.ts';

const SET = 'Nezha';
/** Seconds after an injection until its effect is gone for certain, and before it that are left out. */
const EFFECT_SECONDS = 240;
const GUARD_SECONDS = 2;
/** Fewer seconds or answers than these show nothing, whatever the test. */
const FEWEST_SECONDS = 30;
const FEWEST_ANSWERS = 60;
const SPLIT_SECONDS = 120;

interface Injection {
  readonly at: number;
  readonly service: string;
  readonly kind: string;
}

/** Answers of each service by second. */
type Recording = Map<string, Map<number, Answer[]>>;

export function nezha(folder: string, splits: number): Trial[] {
  const days = readdirSync(join(folder, 'rca_data')).filter((name) => /^\d{4}-/.test(name));
  const faultFree: Answer[][][] = [];
  const faults: Trial[] = [];
  for (const [i, day] of days.entries()) {
    const injections = injectionsOf(join(folder, 'rca_data', day, `${day}-fault_list.json`));
    const recording: Recording = new Map();
    for (const part of ['rca_data', 'construct_data']) read(join(folder, part, day), recording);
    const calm = calmSeconds(recording, injections);
    for (const seconds of calm.values()) faultFree.push(...windows(seconds));
    faults.push(...injections.flatMap((one, n) => faultTrial(one, recording, calm, 1000 * i + n)));
  }
  return [...splitTrials(faultFree, splits), ...faults];
}

function injectionsOf(file: string): Injection[] {
  const hours = JSON.parse(readFileSync(file, 'utf8')) as Record<
    string,
    Partial<Record<'inject_time' | 'inject_pod' | 'inject_type', string>>[]
  >;
  return Object.values(hours)
    .flat()
    .map((fault) => ({
      at: Date.parse(`${fault.inject_time?.replace(' ', 'T')}Z`) / 1000,
      service: serviceOf(fault.inject_pod ?? ''),
      kind: (fault.inject_type ?? '').replaceAll('_', ' '),
    }));
}

/** Without the names of its replica set and pod. */
const serviceOf = (pod: string) => pod.replace(/-[a-z0-9]+-[a-z0-9]+$/, '');

/** Adds what a folder has of a day. */
function read(folder: string, recording: Recording): void {
  const traces = join(folder, 'trace');
  if (!existsSync(traces)) return;
  for (const name of readdirSync(traces)) {
    const log = join(folder, 'log', name.replace('_trace', '_log'));
    readSpans(readFileSync(join(traces, name), 'utf8'), failedTraces(log), recording);
  }
}

/** Traces by the service that logged an error in them: `service trace`. */
function failedTraces(log: string): ReadonlySet<string> {
  if (!existsSync(log)) return new Set();
  const errors = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.includes(' ERROR '))
    .map((line) => line.split(',', 6));
  return new Set(errors.map(([, , , pod = '', , trace = '']) => `${serviceOf(pod)} ${trace}`));
}

function readSpans(text: string, failed: ReadonlySet<string>, recording: Recording): void {
  const spans = text
    .split('\n')
    .slice(1)
    .map((line) => line.split(','))
    .filter((fields) => fields.length >= 8);
  const byId = new Map(spans.map(([, span = '', , pod = '', , , , micros = '']) => [span, { pod, micros }]));
  for (const [trace = '', , parent = '', pod = '', , start = '', , micros = ''] of spans) {
    const caller = byId.get(parent);
    if (caller?.pod === pod) continue;
    const service = serviceOf(pod);
    const second = Number(start.slice(0, 10));
    const seconds = recording.get(service) ?? new Map<number, Answer[]>();
    recording.set(service, seconds);
    const answers = seconds.get(second) ?? [];
    seconds.set(second, answers);
    answers.push({ ms: Number(caller?.micros ?? micros) / 1000, failed: failed.has(`${service} ${trace}`) });
  }
}

/** Of each service, what it answered in seconds that no fault can have touched. */
function calmSeconds(recording: Recording, injections: readonly Injection[]): Map<string, Answer[][]> {
  const isCalm = (second: number) =>
    injections.every(({ at }) => second < at - GUARD_SECONDS || second > at + EFFECT_SECONDS);
  return new Map(
    [...recording].map(([service, seconds]) => [
      service,
      [...seconds]
        .sort(([a], [b]) => a - b)
        .flatMap(([second, answers]) => (isCalm(second) ? [answers] : [])),
    ]),
  );
}

function windows(seconds: readonly Answer[][]): Answer[][][] {
  const found: Answer[][][] = [];
  for (let i = 0; i + SPLIT_SECONDS <= seconds.length; i += SPLIT_SECONDS)
    found.push(seconds.slice(i, i + SPLIT_SECONDS));
  return found.filter((window) => window.flat().length >= 2 * FEWEST_ANSWERS);
}

function splitTrials(faultFree: readonly Answer[][][], splits: number): Trial[] {
  return Array.from({ length: splits }, (_, i): Trial[] => {
    const window = faultFree[i % faultFree.length] as Answer[][];
    const random = seeded(i);
    return [
      { set: SET, row: 'requests dealt', faultFree: true, ticks: dealRequests(window, random) },
      { set: SET, row: 'seconds dealt', faultFree: true, ticks: dealTicks(window, random) },
    ];
  }).flat();
}

function faultTrial(
  { at, service, kind }: Injection,
  recording: Recording,
  calm: Map<string, Answer[][]>,
  seed: number,
): Trial[] {
  const fault = [...(recording.get(service) ?? [])]
    .filter(([second]) => second >= at && second < at + EFFECT_SECONDS)
    .sort(([a], [b]) => a - b)
    .map(([, answers]) => answers);
  const random = seeded(seed);
  const before = calm.get(service) ?? [];
  // A random place in the day's fault-free seconds, and on from there.
  const start = Math.floor(random.uniform() * before.length);
  const baseline = [...before.slice(start), ...before.slice(0, start)];
  const ticks = compare(baseline, fault, random);
  const answers = ticks.reduce((sum, { candidate }) => sum + (candidate as readonly Answer[]).length, 0);
  if (ticks.length < FEWEST_SECONDS || answers < FEWEST_ANSWERS) return [];
  return [{ set: SET, row: kind, faultFree: false, ticks }];
}
