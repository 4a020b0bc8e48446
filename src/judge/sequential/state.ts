/** What the sequential judge remembers of an experiment, and how a second changes it. */
import { JudgeInputError } from '../input-error.ts';
import type { PerSide, Second, SequentialConfig, SideSecond } from '../types.ts';
import { type Accounts, noAccounts, observePair } from './accounts.ts';
import { type SequentialOptions, sequentialConfig } from './config.ts';
import { requestsOf } from './trials.ts';

/**
 * Opaque: read it through `verdict`. Plain data and typed arrays, never changed in place.
 */
export interface SequentialState {
  readonly config: SequentialConfig;
  /** `at` of the first second with a request, and of the last second at all. */
  readonly firstAt: number | null;
  readonly lastAt: number | null;
  readonly requests: PerSide<number>;
  /** `at` of each side's last second with a request. */
  readonly lastRequestAt: PerSide<number | null>;
  /** Requests that the other side had after each side's last one. */
  readonly missed: PerSide<number>;
  /** Sequential traffic only: seconds of one side that still wait for their counterparts. */
  readonly waiting: PerSide<readonly SideSecond[]>;
  readonly accounts: Accounts;
}

/**
 * A judge that has seen nothing yet.
 * @throws JudgeInputError if a setting makes no sense.
 */
export function createSequentialJudge(options: SequentialOptions = {}): SequentialState {
  const config = sequentialConfig(options);
  return {
    config,
    firstAt: null,
    lastAt: null,
    requests: { baseline: 0, candidate: 0 },
    lastRequestAt: { baseline: null, candidate: null },
    missed: { baseline: 0, candidate: 0 },
    waiting: { baseline: [], candidate: [] },
    accounts: noAccounts(config),
  };
}

/**
 * The state after one more second. Folding `observe` over the seconds of a report gives the state that the
 * live judge had.
 * @throws JudgeInputError if seconds are out of order.
 */
export function observe(state: SequentialState, second: Second): SequentialState {
  if (state.lastAt !== null && second.at <= state.lastAt) {
    throw new JudgeInputError('second.at', `a second after ${state.lastAt}`, second.at);
  }
  const requests = { baseline: requestsOf(second.baseline), candidate: requestsOf(second.candidate) };
  const active = requests.baseline + requests.candidate > 0;
  const firstAt = state.firstAt ?? (active ? second.at : null);
  const next = {
    ...state,
    firstAt,
    lastAt: second.at,
    requests: {
      baseline: state.requests.baseline + requests.baseline,
      candidate: state.requests.candidate + requests.candidate,
    },
    lastRequestAt: {
      baseline: requests.baseline > 0 ? second.at : state.lastRequestAt.baseline,
      candidate: requests.candidate > 0 ? second.at : state.lastRequestAt.candidate,
    },
    missed: {
      baseline: requests.baseline > 0 ? 0 : state.missed.baseline + requests.candidate,
      candidate: requests.candidate > 0 ? 0 : state.missed.candidate + requests.baseline,
    },
  };
  // Before the first request there is nothing to compare.
  if (firstAt === null) return next;
  return state.config.traffic === 'sequential'
    ? pairUp(next, second, requests)
    : { ...next, accounts: observePair(state.accounts, second, second.at - firstAt, state.config) };
}

/**
 * Sequential traffic: the n-th second of the baseline's traffic is compared with the n-th of the candidate's,
 * as if they were simultaneous. That ignores the difference in time, and the verdict says so.
 */
function pairUp(state: SequentialState, second: Second, requests: PerSide<number>): SequentialState {
  const queue = (side: 'baseline' | 'candidate') =>
    requests[side] > 0 ? [...state.waiting[side], second[side]] : state.waiting[side];
  const [baseline, ...laterBaseline] = queue('baseline');
  const [candidate, ...laterCandidate] = queue('candidate');
  if (baseline === undefined || candidate === undefined) {
    return { ...state, waiting: { baseline: queue('baseline'), candidate: queue('candidate') } };
  }
  return {
    ...state,
    waiting: { baseline: laterBaseline, candidate: laterCandidate },
    accounts: observePair(state.accounts, { baseline, candidate }, state.accounts.pairs, state.config),
  };
}
