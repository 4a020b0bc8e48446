/** What the host that divides an application's visitors tells of its rollout: one JSON file. Types alone. */
import type { Manifest } from './manifest.ts';

/** What is done when nothing is decided in time. */
export type Otherwise = 'hold' | 'promote' | 'take back';

/** `running`, `paused` and `held` go on: both versions serve. The others are the end. */
export type RolloutPhase = 'running' | 'paused' | 'held' | 'promoted' | 'taken back';

export type SideRelease = Pick<Manifest, 'release' | 'ref' | 'commit' | 'subject'>;

/** What has been measured of a side since it began. */
export interface SideFigures {
  readonly visitors: number;
  readonly requests: number;
  /** Requests that were answered with 5xx, or not at all. */
  readonly failed: number;
}

/** One row of evidence. */
export interface RolloutMetric {
  /** For people, e.g. `errors (5xx)`, `latency p90`, `visitors who come back`. */
  readonly name: string;
  readonly unit: 'share' | 'ms';
  /** null: nothing is known yet. */
  readonly baseline: number | null;
  readonly candidate: number | null;
  /** How much the data speaks for harm: odds of N to 1 at the worst moment; 1: not at all. */
  readonly odds: number;
  /** What does not matter, as a share of the baseline's value; null: nothing is tolerated. */
  readonly tolerated: number | null;
  /** It was shown that harm beyond the next step's margin is not there. */
  readonly cleared: boolean;
}

export interface RolloutEvent {
  /** ISO 8601 in UTC. */
  readonly at: string;
  readonly kind: 'began' | 'step' | 'paused' | 'resumed' | 'held' | 'promoted' | 'taken back';
  /** Share of the candidate from here on. */
  readonly percent: number;
  /** Why, as a sentence; empty: nothing to say. */
  readonly why: string;
}

export interface RolloutStatus {
  readonly app: string;
  readonly id: string;
  readonly phase: RolloutPhase;
  /** ISO 8601 in UTC. */
  readonly began: string;
  readonly at: string;
  readonly baseline: SideRelease;
  readonly candidate: SideRelease;
  readonly by: string;
  readonly steps: readonly number[];
  /** Share of the candidate now. */
  readonly percent: number;
  readonly alpha: number;
  /** Odds at which the candidate is taken back: 1/alpha. */
  readonly alarm: number;
  /** Number of the rules by which it is judged; absent: the first ones. */
  readonly rules?: number;
  readonly sides: { readonly baseline: SideFigures; readonly candidate: SideFigures };
  readonly metrics: readonly RolloutMetric[];
  /** The next step, and what it waits for as a sentence; null: there is none. */
  readonly next: { readonly percent: number; readonly waitsFor: string } | null;
  /** When `otherwise` is done; ISO 8601. */
  readonly until: string;
  readonly otherwise: Otherwise;
  /** Newest last. */
  readonly events: readonly RolloutEvent[];
}
