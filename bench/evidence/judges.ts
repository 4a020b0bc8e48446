/** When each judge finds that the candidate of a trial is worse. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import {
  createSequentialJudge,
  judgeKayenta,
  observe,
  type SequentialState,
  toKayentaDocument,
  verdict,
} from '../../src/judge/index.ts';
import { CONFIG, GAUGE_CONFIG, isGauge, secondsOf, type Tick, type Trial } from './trial.ts';

/** Ticks between two answers of Kayenta's judge, and the points that it gets of them. */
const KAYENTA_EVERY = 60;
const KAYENTA_STEP = { requests: 10, gauge: 1 };

/** Ticks until the judge rejects the candidate; null where it never does. */
export interface Sequential {
  readonly found: number | null;
  readonly by: readonly string[];
}

export function sequential(trial: Trial): Sequential {
  const gauge = isGauge(trial);
  const config = gauge ? GAUGE_CONFIG : CONFIG;
  const seconds = secondsOf(trial);
  const differs = (state: SequentialState) => {
    const said = verdict(state);
    // A gauge's anomaly may go either way.
    if (gauge)
      return said.metrics.flatMap((m) => (m.kind === 'memory' && isEither(m.verdict) ? [m.name] : []));
    return said.verdict === 'failed' ? said.decidedBy : [];
  };
  let state = createSequentialJudge(config);
  for (const second of seconds) state = observe(state, second);
  // Alarms latch: what is not rejected at the end never was.
  if (differs(state).length === 0) return { found: null, by: [] };
  state = createSequentialJudge(config);
  for (const [i, second] of seconds.entries()) {
    state = observe(state, second);
    const by = differs(state);
    if (by.length > 0) return { found: i + 1, by };
  }
  throw new Error('An alarm did not latch.');
}

const isEither = (label: string) => label === 'high' || label === 'low';

/** Kayenta's judge, asked every minute; `Pass` is no rejection. */
export function kayenta(trial: Trial): number | null {
  const config = isGauge(trial) ? GAUGE_CONFIG : CONFIG;
  const step = isGauge(trial) ? KAYENTA_STEP.gauge : KAYENTA_STEP.requests;
  const seconds = secondsOf(trial);
  for (let end = KAYENTA_EVERY; end <= seconds.length; end += KAYENTA_EVERY) {
    const experiment = { config, seconds: seconds.slice(0, end), ended: true };
    if (judgeKayenta(toKayentaDocument(experiment, step)).score.classification !== 'Pass') return end;
  }
  return null;
}

/** Where a test's p-value fell: [ticks, p]. */
export type Falls = readonly (readonly [number, number])[];

export interface Others {
  readonly savvi: Falls;
  /** Over all quantiles, each with its part of the error. */
  readonly confseq: Falls;
}

/** What the Python libraries say; they run beside, a trial a line. */
export async function others(trials: readonly Trial[], python: string): Promise<Others[]> {
  const script = `${import.meta.dirname}/others.py`;
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('exit', resolve);
  });
  const [answers] = await Promise.all([read(child), feed(child, trials)]);
  const code = await ended;
  if (code !== 0) throw new Error(`${python} ${script} ended with ${code}; it needs savvi and confseq.`);
  return answers;
}

async function feed({ stdin }: ChildProcess, trials: readonly Trial[]): Promise<void> {
  for (const trial of trials) {
    const ticks = trial.ticks.map(({ baseline, candidate }) => [
      ...forPython(baseline),
      ...forPython(candidate),
    ]);
    const line = `${JSON.stringify({ ticks, both: isGauge(trial) })}\n`;
    if (stdin?.write(line) === false) await new Promise((resolve) => stdin.once('drain', resolve));
  }
  stdin?.end();
}

function forPython(tick: Tick): [number, number, number[]] {
  if (typeof tick === 'number') return [0, 1, [tick]];
  const good = tick.filter((answer) => !answer.failed);
  return [tick.length - good.length, tick.length, good.map(({ ms }) => ms)];
}

async function read({ stdout }: ChildProcess): Promise<Others[]> {
  const found: Others[] = [];
  if (stdout === null) return found;
  for await (const line of createInterface({ input: stdout })) {
    const { savvi, confseq } = JSON.parse(line) as { savvi: Falls; confseq: Falls[] };
    const together = confseq.flatMap((falls) =>
      falls.map(([tick, p]) => [tick, p * confseq.length] as const),
    );
    found.push({ savvi: ticked(savvi), confseq: ticked(together.sort(([a], [b]) => a - b)) });
  }
  return found;
}

/** Ticks counted from 1. */
const ticked = (falls: Falls): Falls => falls.map(([tick, p]) => [tick + 1, p] as const);

/** The first tick at which the p-value is that small. */
export function foundAt(falls: Falls, alpha: number): number | null {
  return falls.find(([, p]) => p <= alpha)?.[0] ?? null;
}
