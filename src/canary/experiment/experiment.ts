/**
 * The experiment as a state machine: `next(state, observation)` says what to do, and does nothing itself.
 *
 *   waiting ──first second──▶ running ──decided, deadline, a side lost, interrupted──▶ stopped
 *      └──no traffic, interrupted──▶ stopped
 */
import { createSequentialJudge, observe, type SequentialState, verdict } from '../../judge/index.ts';
import type { CanaryVerdict, Second, SequentialConfig, Traffic } from '../../judge/types.ts';
import type { CanaryReport, ReportEvent } from '../../report/document.ts';
import { saturation, standsDespiteQueues } from '../judging/saturation.ts';

export interface ExperimentSettings {
  readonly traffic: Traffic;
  /** Per cent of the requests for the candidate, while traffic is interleaved. */
  readonly split: number;
  readonly durationSeconds: number;
  /** Whether a verdict before the deadline ends the experiment. */
  readonly stopEarly: boolean;
  readonly judge: SequentialConfig;
}

/** Why it stopped. */
export type Stopped = CanaryReport['stopped'];

export interface ExperimentState {
  readonly settings: ExperimentSettings;
  readonly phase: 'waiting' | 'running' | 'stopped';
  readonly judge: SequentialState;
  readonly seconds: readonly Second[];
  readonly events: readonly ReportEvent[];
  /** Per cent for the candidate now. */
  readonly share: number;
  readonly stopped: Stopped | null;
}

export type ExperimentObservation =
  /** a second is complete */
  | { readonly kind: 'second'; readonly second: Second }
  /** something happened on a host, or to the load */
  | { readonly kind: 'event'; readonly event: ReportEvent }
  /**
   * time passes: seconds since the load began, and since the proxy saw its first request (null: it has seen
   * none)
   */
  | { readonly kind: 'tick'; readonly sinceLoad: number; readonly sinceFirst: number | null }
  | { readonly kind: 'interrupt' };

export type ExperimentAction =
  | { readonly kind: 'set weights'; readonly candidate: number }
  | { readonly kind: 'show'; readonly verdict: CanaryVerdict }
  | { readonly kind: 'stop'; readonly reason: Stopped };

export interface ExperimentStep {
  readonly state: ExperimentState;
  readonly actions: readonly ExperimentAction[];
}

/** Seconds without a request at the proxy, from the beginning, after which nobody waits any longer. */
export const NO_TRAFFIC_SECONDS = 10;

/** Before the first request: who gets the traffic. */
export function begin(settings: ExperimentSettings): ExperimentStep {
  const share = shareAt(settings, 0);
  return {
    state: {
      settings,
      phase: 'waiting',
      judge: createSequentialJudge(settings.judge),
      seconds: [],
      events: [],
      share,
      stopped: null,
    },
    actions: [{ kind: 'set weights', candidate: share }],
  };
}

/**
 * What follows from an observation. After the stop nothing counts but the last answers of a load that ended
 * by itself.
 */
export function next(state: ExperimentState, observation: ExperimentObservation): ExperimentStep {
  switch (observation.kind) {
    case 'second':
      return onSecond(state, observation.second);
    case 'event':
      return onEvent(state, observation.event);
    case 'tick':
      return onTick(state, observation.sinceLoad, observation.sinceFirst);
    case 'interrupt':
      return stop(state, 'interrupted');
  }
}

function onSecond(state: ExperimentState, second: Second): ExperimentStep {
  // After an early stop the load was cut off, and what is logged of that is our doing. At the deadline it
  // ended by itself: its last answers count.
  if (state.phase === 'stopped' && (state.stopped !== 'deadline' || !hasRequests(second)))
    return { state, actions: [] };
  const judge = observe(state.judge, second);
  const seen: ExperimentState = {
    ...state,
    judge,
    seconds: [...state.seconds, second],
    phase: state.phase === 'waiting' ? 'running' : state.phase,
  };
  if (state.phase === 'stopped') return { state: seen, actions: [] };
  const now = verdict(judge);
  const shown: ExperimentStep = { state: seen, actions: [{ kind: 'show', verdict: now }] };
  if (now.verdict === 'failed' && undecidedByQueues(seen, now)) return shown;
  // One side after the other: before the second side had its turn there is nothing to decide.
  if (!now.decided || !state.settings.stopEarly) return shown;
  return after(shown, (reached) => stop(reached, 'decided'));
}

/** Harm that may be a queue's: more of the experiment may tell. */
function undecidedByQueues({ seconds, settings }: ExperimentState, now: CanaryVerdict): boolean {
  if (standsDespiteQueues(now, seconds)) return false;
  return saturation(seconds, settings.judge.warmupSeconds)?.hopeless === false;
}

function hasRequests(second: Second): boolean {
  return [second.baseline, second.candidate].some(({ routes }) =>
    Object.values(routes).some(({ requests }) => requests > 0),
  );
}

function onEvent(state: ExperimentState, event: ReportEvent): ExperimentStep {
  if (state.phase === 'stopped') return { state, actions: [] };
  const seen = { ...state, events: [...state.events, event] };
  const lost = event.kind === 'died' || event.kind === 'silent';
  return lost ? stop(seen, 'side lost') : { state: seen, actions: [] };
}

function onTick(state: ExperimentState, sinceLoad: number, sinceFirst: number | null): ExperimentStep {
  if (state.phase === 'stopped') return { state, actions: [] };
  if (sinceFirst === null) {
    return sinceLoad >= NO_TRAFFIC_SECONDS ? stop(state, 'no traffic') : { state, actions: [] };
  }
  if (sinceFirst >= state.settings.durationSeconds) return stop(state, 'deadline');
  const share = shareAt(state.settings, sinceFirst);
  return share === state.share
    ? { state, actions: [] }
    : { state: { ...state, share }, actions: [{ kind: 'set weights', candidate: share }] };
}

/**
 * Interleaved: always the split. One after the other: the first half to the baseline, the second to the
 * candidate.
 */
function shareAt(settings: ExperimentSettings, seconds: number): number {
  if (settings.traffic === 'interleaved') return settings.split;
  return seconds < settings.durationSeconds / 2 ? 0 : 100;
}

function stop(state: ExperimentState, reason: Stopped): ExperimentStep {
  if (state.phase === 'stopped') return { state, actions: [] };
  return { state: { ...state, phase: 'stopped', stopped: reason }, actions: [{ kind: 'stop', reason }] };
}

function after(step: ExperimentStep, then: (state: ExperimentState) => ExperimentStep): ExperimentStep {
  const following = then(step.state);
  return { state: following.state, actions: [...step.actions, ...following.actions] };
}
