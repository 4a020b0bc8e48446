/** What a rollout does next, from what it is and what was seen. Pure: the host's program carries it out. */
import type { Otherwise, RolloutPhase, RolloutWord } from '../contract/rollout.ts';
import { hasEnded } from '../contract/rollout.ts';
import { defaultUnitConfig, FIRST_RULES, marginsBefore, UNIT_RULES } from '../judge/units/config.ts';
import {
  areBothBroken,
  createUnitJudge,
  harms,
  isHarmful,
  missingFor,
  observeUnits,
  type UnitState,
} from '../judge/units/state.ts';
import type { Missing, UnitEvent } from '../judge/units/types.ts';

/** A look counts for so many seconds at most, should the machine have slept. */
const LONGEST_LOOK = 10;

export interface RolloutPlan {
  /** Shares of the candidate, per cent, growing; after the last one it gets everybody. */
  readonly steps: readonly number[];
  readonly alpha: number;
  /** Seconds until `otherwise` is done. */
  readonly atMost: number;
  readonly otherwise: Otherwise;
}

/** Why something was done. */
export type Reason =
  | { readonly kind: 'began' }
  /** Harm beyond the margin of the step was excluded. */
  | { readonly kind: 'evidence' }
  /** Harm was shown: at so many to 1. */
  | { readonly kind: 'harm'; readonly metric: string; readonly odds: number }
  /** A process of the candidate ended, or failed its checks. */
  | { readonly kind: 'unwell'; readonly said: string }
  /** A person said so. */
  | { readonly kind: 'word'; readonly by: string }
  /** Nothing was decided in time. */
  | { readonly kind: 'time' };

export interface RolloutState {
  readonly phase: RolloutPhase;
  /** Index of the step that holds now. */
  readonly step: number;
  readonly judge: UnitState;
  /** Seconds in which it might have decided, since it began or was resumed. */
  readonly running: number;
}

/** What was seen since the last look. */
export interface Observation {
  /** Seconds since the last look, by a clock that only goes forward. */
  readonly seconds: number;
  readonly events: readonly UnitEvent[];
  /** What is wrong with each version's processes; null: nothing. */
  readonly unwell: { readonly baseline: string | null; readonly candidate: string | null };
  /** What a person has said since; null: nothing. */
  readonly word: { readonly word: RolloutWord; readonly by: string } | null;
}

/** What is to be done now; the state holds it already. */
export interface Act {
  readonly kind: 'step' | 'paused' | 'resumed' | 'held' | 'promoted' | 'taken back';
  readonly percent: number;
  readonly reason: Reason;
}

/** @param rules by which it is judged: today's, unless it is an older one. */
export function beginState(
  { steps, alpha }: Pick<RolloutPlan, 'steps' | 'alpha'>,
  rules: number = UNIT_RULES,
): RolloutState {
  const below = steps.filter((percent) => percent < 100);
  const margins = below.map((_, step) => marginsBefore(shareAfter(steps, step)));
  const earlier = rules === UNIT_RULES ? {} : FIRST_RULES;
  const judge = createUnitJudge({ ...defaultUnitConfig, ...earlier, alpha, margins });
  return { phase: 'running', step: 0, judge, running: 0 };
}

/** Its number: of the first ones nobody is counted who waits grossly long. */
export function rulesOf({ judge }: Pick<RolloutState, 'judge'>): number {
  return judge.config.weights.slow > 0 ? UNIT_RULES : 1;
}

/** A state as an earlier version of this program may have kept it, which began by the first rules. */
export function revivedState(kept: RolloutState): RolloutState {
  const { judge } = kept;
  const accounts: Partial<UnitState['accounts']> = judge.accounts;
  if (accounts.slow !== undefined) return kept;
  const { config } = judge;
  const first = createUnitJudge({ ...config, ...FIRST_RULES });
  return { ...kept, judge: { ...judge, config: first.config, accounts: { ...first.accounts, ...accounts } } };
}

/** The share that follows a step: everybody after the last one. */
export function shareAfter(steps: readonly number[], step: number): number {
  return steps[step + 1] ?? 100;
}

/** @returns the state afterwards, and what the caller is to do, if anything. */
export function next(
  plan: RolloutPlan,
  before: RolloutState,
  seen: Observation,
): { readonly state: RolloutState; readonly act: Act | null } {
  if (hasEnded(before.phase)) return { state: before, act: null };
  const judge = seen.events.reduce(observeUnits, before.judge);
  const seconds = Math.min(LONGEST_LOOK, Math.max(0, seen.seconds));
  const running = before.running + (before.phase === 'running' ? seconds : 0);
  const state = { ...before, judge, running };
  const act = decide(plan, state, seen);
  return { state: act === null ? state : after(state, act), act };
}

function after(state: RolloutState, { kind }: Act): RolloutState {
  switch (kind) {
    case 'step':
      return { ...state, step: state.step + 1 };
    case 'resumed':
      return { ...state, phase: 'running', running: 0 };
    default:
      return { ...state, phase: kind };
  }
}

function decide(plan: RolloutPlan, state: RolloutState, seen: Observation): Act | null {
  const percent = plan.steps[state.step] ?? 0;
  const end = (kind: 'promoted' | 'taken back', reason: Reason): Act => ({
    kind,
    percent: kind === 'promoted' ? 100 : 0,
    reason,
  });
  const { word, unwell } = seen;
  if (word?.word === 'abort') return end('taken back', { kind: 'word', by: word.by });
  if (word?.word === 'promote') return end('promoted', { kind: 'word', by: word.by });
  // Whoever paused it wants it to stand still, not that visitors are hurt. Where both versions are unwell,
  // the new one is not the cause.
  if (unwell.candidate !== null && unwell.baseline === null)
    return end('taken back', { kind: 'unwell', said: unwell.candidate });
  if (isHarmful(state.judge)) return end('taken back', harmOf(state));
  if (word !== null) return toldToWait(state, percent, { kind: 'word', by: word.by }, word.word);
  if (state.phase !== 'running') return null;
  if (mayStep(state, seen)) {
    const following = shareAfter(plan.steps, state.step);
    return following >= 100
      ? end('promoted', { kind: 'evidence' })
      : { kind: 'step', percent: following, reason: { kind: 'evidence' } };
  }
  if (state.running < plan.atMost) return null;
  const late: Reason = { kind: 'time' };
  if (plan.otherwise === 'hold') return { kind: 'held', percent, reason: late };
  return end(plan.otherwise === 'promote' ? 'promoted' : 'taken back', late);
}

function toldToWait(state: RolloutState, percent: number, reason: Reason, word: RolloutWord): Act | null {
  if (word === 'pause' && state.phase !== 'paused') return { kind: 'paused', percent, reason };
  if (word === 'resume' && state.phase !== 'running') return { kind: 'resumed', percent, reason };
  return null;
}

/** A baseline that is not well is no measure. */
function mayStep(state: RolloutState, { unwell }: Observation): boolean {
  return unwell.baseline === null && !areBothBroken(state.judge) && waitsFor(state).length === 0;
}

/** What stands in the way of the next step. */
export function waitsFor({ judge, step }: RolloutState): readonly Missing[] {
  return missingFor(judge, step);
}

function harmOf({ judge }: RolloutState): Reason {
  const [worst] = harms(judge);
  return { kind: 'harm', metric: worst?.metric ?? '', odds: Math.exp(worst?.evidence ?? 0) };
}
