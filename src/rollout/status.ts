/** A rollout as people see it. Pure. */

import type { Manifest } from '../contract/manifest.ts';
import type { RolloutOrder } from '../contract/release.ts';
import type { RolloutEvent, RolloutMetric, RolloutStatus, SideRelease } from '../contract/rollout.ts';
import { hasEnded } from '../contract/rollout.ts';
import {
  areBothBroken,
  harms,
  quantileName,
  quantileOf,
  UNIT_METRICS,
  type UnitState,
} from '../judge/units/state.ts';
import type { Missing } from '../judge/units/types.ts';
import type { Counted } from './episodes.ts';
import { type Observation, type Reason, type RolloutState, rulesOf, shareAfter, waitsFor } from './next.ts';

type Sides = Readonly<Record<'baseline' | 'candidate', Counted>>;

/** Everything that a status is made from. */
export interface Seen {
  readonly order: RolloutOrder;
  /** Milliseconds since 1970. */
  readonly began: number;
  readonly now: number;
  readonly state: RolloutState;
  readonly counted: Sides;
  /** What is wrong with each version's processes. */
  readonly unwell: Observation['unwell'];
  readonly events: readonly RolloutEvent[];
}

export function statusOf({ order, began, now, state, counted, unwell, events }: Seen): RolloutStatus {
  const { id, by, steps, alpha, otherwise, atMost, settle, baseline } = order;
  const percent = events.at(-1)?.percent ?? 0;
  const following = hasEnded(state.phase) ? undefined : shareAfter(steps, state.step);
  const left = Math.max(0, atMost - state.running * 1000);
  return {
    ...{ app: settle.manifest.app, id, phase: state.phase, by, steps, percent, alpha, otherwise },
    alarm: 1 / alpha,
    rules: rulesOf(state),
    began: new Date(began).toISOString(),
    at: new Date(now).toISOString(),
    baseline: releaseOf(baseline.manifest),
    candidate: releaseOf(settle.manifest),
    sides: counted,
    metrics: metricsOf(state, counted),
    next: following === undefined ? null : { percent: following, waitsFor: waitingWords(state, unwell) },
    until: new Date(now + left).toISOString(),
    events,
  };
}

function releaseOf({ release, ref, commit, subject }: Manifest): SideRelease {
  return { release, ref, commit, subject };
}

/** The rows of evidence. Errors are what was counted until their evidence has its first block. */
export function metricsOf(state: RolloutState, counted: Sides): readonly RolloutMetric[] {
  const { judge } = state;
  const missing = new Set(waitsFor(state).map(({ metric }) => metric));
  const odds = new Map(harms(judge).map(({ metric, evidence }) => [metric, Math.max(1, Math.exp(evidence))]));
  const row = (
    name: string,
    unit: RolloutMetric['unit'],
    value: (side: 'baseline' | 'candidate') => number | null,
    tolerated: number | null,
  ): RolloutMetric => ({
    name,
    unit,
    baseline: value('baseline'),
    candidate: value('candidate'),
    odds: odds.get(name) ?? 1,
    tolerated,
    cleared: !missing.has(name),
  });
  const { totals, config } = judge;
  const share =
    (part: 'failed' | 'refused' | 'alone' | 'slow', whole: (of: Counts) => number) =>
    (side: 'baseline' | 'candidate') => {
      const all = whole(totals[side]);
      return all === 0 ? null : (totals[side][part] ?? 0) / all;
    };
  const ended = ({ alone, returned }: Counts) => alone + returned;
  const inBlocks = share('failed', ({ requests }) => requests);
  const errors = (side: 'baseline' | 'candidate') => inBlocks(side) ?? shareOf(counted[side]);
  return [
    row(UNIT_METRICS.errors, 'share', errors, null),
    row(UNIT_METRICS.refused, 'share', share('refused', ended), null),
    ...config.quantiles.map(({ quantile }) =>
      row(
        quantileName(quantile),
        'ms',
        (side) => quantileOf(totals[side].latency, quantile),
        config.tolerated,
      ),
    ),
    ...(rulesOf(state) === 1 ? [] : [row(UNIT_METRICS.slow, 'share', share('slow', ended), null)]),
    row(UNIT_METRICS.returning, 'share', share('alone', ended), null),
  ];
}

type Counts = UnitState['totals']['baseline'];

function shareOf({ failed, requests }: Counted): number | null {
  return requests === 0 ? null : failed / requests;
}

/** What the next step waits for. */
function waitingWords(state: RolloutState, unwell: Observation['unwell']): string {
  if (state.phase === 'paused') return 'somebody to resume it';
  if (state.phase === 'held') return 'somebody to promote or abort it';
  if (unwell.baseline !== null) return `the old version to be well again: ${unwell.baseline}`;
  if (areBothBroken(state.judge)) return 'the old version: both fail half of what they are asked, or more';
  const missing = waitsFor(state);
  if (missing.length === 0) return 'the next look';
  const names = missing.map(({ metric }) => metric);
  const units = unitsMissing(missing);
  const about = units === null ? 'more visitors' : `about ${units} more visitors of the new version`;
  return `${names.join(', ')} to be shown no worse (${about})`;
}

function unitsMissing(missing: readonly Missing[]): number | null {
  const units = missing.map((one) => one.units);
  return units.some((one) => one === null) ? null : Math.max(...units.map((one) => one ?? 0));
}

/** Why something was done, as a sentence without its end. */
export function reasonWords(reason: Reason): string {
  switch (reason.kind) {
    case 'began':
      return '';
    case 'evidence':
      return 'harm beyond the margin of this step is excluded';
    case 'harm':
      return `${reason.metric}: the evidence of harm is worth ${oddsWords(reason.odds)} to 1`;
    case 'unwell':
      return `the new version is not well: ${reason.said}`;
    case 'word':
      return `${reason.by} said so`;
    case 'time':
      return 'the evidence did not suffice in time';
  }
}

function oddsWords(odds: number): string {
  return odds >= 1e6 ? 'more than a million' : String(Math.floor(odds));
}
