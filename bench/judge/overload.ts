/**
 * The whole verdict, with its guard against queues, on experiments near and beyond what the services carry.
 */

import { begin, type ExperimentState, next } from '../../src/canary/experiment/experiment.ts';
import { conclude, type RunRecord } from '../../src/canary/judging/conclude.ts';
import { defaultSequentialConfig } from '../../src/judge/index.ts';
import { report, verdict } from '../../test/report/sample.ts';
import { type QueueBehaviour, type QueueScenario, simulateQueues } from './queue.ts';

const SECONDS = 120;
const RATE = 100;

export interface Overload {
  readonly name: string;
  readonly baseline: Partial<QueueBehaviour>;
  readonly candidate: Partial<QueueBehaviour>;
  /** Whether the candidate is truly worse. */
  readonly worse: boolean;
}

const same = (busy: number): Overload => ({
  name: `itself, busy ${Math.round(busy * 100)} % of the time`,
  baseline: { busy },
  candidate: { busy },
  worse: false,
});

export const OVERLOADS: readonly Overload[] = [
  ...[0.7, 0.8, 0.9, 0.95, 1, 1.05, 1.1, 1.25, 1.5, 2, 3].map(same),
  { name: 'busy 70 %, candidate 85 %', baseline: { busy: 0.7 }, candidate: { busy: 0.85 }, worse: true },
  { name: 'busy 80 %, candidate 110 %', baseline: { busy: 0.8 }, candidate: { busy: 1.1 }, worse: true },
  { name: 'busy 90 %, candidate 135 %', baseline: { busy: 0.9 }, candidate: { busy: 1.35 }, worse: true },
  { name: 'busy 90 %, candidate 200 %', baseline: { busy: 0.9 }, candidate: { busy: 2 }, worse: true },
  { name: 'busy 95 %, candidate 140 %', baseline: { busy: 0.95 }, candidate: { busy: 1.4 }, worse: true },
  { name: 'busy 120 %, candidate 180 %', baseline: { busy: 1.2 }, candidate: { busy: 1.8 }, worse: true },
  {
    name: 'busy 120 %, candidate fails 5 %',
    baseline: { busy: 1.2 },
    candidate: { busy: 1.2, errors: 0.05 },
    worse: true,
  },
];

export type OverloadRun = 'passed' | 'failed' | 'inconclusive';

/**
 * One experiment as it would have gone: stopped when decided, else at the deadline with the answers that came
 * after.
 */
export function overloaded({ baseline, candidate }: Overload, seed: number): OverloadRun {
  const config = { ...defaultSequentialConfig, deadlineSeconds: SECONDS };
  const scenario: QueueScenario = {
    seconds: SECONDS,
    rate: RATE,
    baseline: { busy: 1, errors: 0, ...baseline },
    candidate: { busy: 1, errors: 0, ...candidate },
  };
  const settings = {
    traffic: 'interleaved',
    split: 50,
    durationSeconds: SECONDS,
    stopEarly: true,
    judge: config,
  } as const;
  let state: ExperimentState = begin(settings).state;
  for (const second of simulateQueues(scenario, seed)) {
    state = next(state, { kind: 'second', second }).state;
    state = next(state, { kind: 'tick', sinceLoad: second.at + 1, sinceFirst: second.at + 1 }).state;
    if (state.stopped === 'decided') break;
  }
  const { verdict: _, ...base } = report([], verdict([]));
  const run: RunRecord = {
    ...base,
    load: null,
    stopped: state.stopped ?? 'deadline',
    experiment: {
      config: structuredClone(config) as RunRecord['experiment']['config'],
      seconds: structuredClone([...state.seconds]) as RunRecord['experiment']['seconds'],
      ended: true,
    },
  };
  return conclude(run, 'sequential').verdict;
}
