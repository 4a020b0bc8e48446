/** Rollouts as a host tells of them, and what of it is an event. Pure: the store is in `rollouts.ts`. */
import * as z from 'zod';
import type { RolloutEvent, RolloutStatus } from '../../contract/rollout.ts';
import type { ShownRollout, ShownSide, ShownStep } from '../api-types.ts';
import type { StoredEvent } from './merge.ts';

/** What is too long is cut: a subject of a commit may be any text. */
const text = z.string().transform((long) => long.slice(0, 1000));
const name = z.string().min(1).max(128);
const time = z.iso.datetime();
const percent = z.number().min(0).max(100);
const amount = z.number().nonnegative().max(1e15);
const release = z.object({ release: name, ref: text, commit: z.string().max(64).nullable(), subject: text });
const figures = z.object({ visitors: amount, requests: amount, failed: amount });
const metric = z.object({
  name,
  unit: z.enum(['share', 'ms']),
  baseline: z.number().nullable(),
  candidate: z.number().nullable(),
  // What is beyond any number is null in JSON.
  odds: z
    .number()
    .nonnegative()
    .nullable()
    .transform((odds) => odds ?? Number.MAX_VALUE),
  tolerated: amount.nullable(),
  cleared: z.boolean(),
});
const event = z.object({
  at: time,
  kind: z.enum(['began', 'step', 'paused', 'resumed', 'held', 'promoted', 'taken back']),
  percent,
  why: text,
});

/** Keys that it does not know are left out: hosts may be newer than the hub. */
const rolloutStatus = z.object({
  app: z.string().min(1).max(64),
  id: z.string().regex(/^[a-z0-9-]{8,64}$/),
  phase: z.enum(['running', 'paused', 'held', 'promoted', 'taken back']),
  began: time,
  at: time,
  baseline: release,
  candidate: release,
  by: text,
  steps: z.array(percent).max(100),
  percent,
  alpha: z.number().positive().max(1),
  alarm: z.number().positive(),
  sides: z.object({ baseline: figures, candidate: figures }),
  metrics: z.array(metric).max(50),
  next: z.object({ percent, waitsFor: text }).nullable(),
  until: time,
  otherwise: z.enum(['hold', 'promote', 'take back']),
  events: z.array(event).max(1000),
}) satisfies z.ZodType<RolloutStatus, unknown>;

/** @throws Error that says what is wrong, for people */
export function readStatus(json: string): RolloutStatus {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch {
    throw new Error('the status of a rollout is not JSON');
  }
  const { data, error } = rolloutStatus.safeParse(document);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  throw new Error(`the status of a rollout is wrong: ${issue?.path.join('.')}: ${issue?.message}`);
}

export interface Heard {
  readonly host: string;
  /** By the hub's clock, ms. */
  readonly heardAt: number;
  /** How far the host's clock is ahead, ms. */
  readonly aheadMs: number;
}

/** With times of the hub's clock; none of them but `until` lies in the future. */
export function shownRollout(status: RolloutStatus, { host, heardAt, aheadMs }: Heard): ShownRollout {
  const { began, at, until, events, sides, baseline, candidate, alpha: _, ...rest } = status;
  const corrected = (iso: string) => Math.round(Date.parse(iso) - aheadMs);
  const past = (iso: string) => Math.min(heardAt, corrected(iso));
  return {
    ...rest,
    baseline: { ...baseline, ...sides.baseline },
    candidate: { ...candidate, ...sides.candidate },
    host,
    heardAt,
    beganAt: past(began),
    at: past(at),
    until: corrected(until),
    events: events.map((one) => ({ ...one, at: past(one.at) })),
  };
}

/** The event of a rollout as charts and lists show it. The same event always has the same identifier. */
export function eventOf(rollout: ShownRollout, event: ShownStep, said: RolloutEvent): StoredEvent {
  const { id, app, host, baseline, candidate } = rollout;
  return {
    id: `rollout-${id}-${Date.parse(said.at)}-${event.kind.replace(' ', '-')}`,
    at: event.at,
    kind: 'rollout',
    action: 'rollout',
    app,
    hosts: [host],
    release: candidate.release,
    previous: baseline.release,
    ...(candidate.commit === null ? {} : { commit: candidate.commit }),
    result: event.kind,
    rollout: id,
    percent: event.percent,
    text: `rollout ${app} ${nameOf(candidate)}: ${words(event)}`.slice(0, 300),
    source: 'rollout',
  };
}

function nameOf({ ref, commit }: ShownSide): string {
  const short = commit?.slice(0, 7);
  return short === undefined || ref.startsWith(short) ? ref.slice(0, 60) : `${ref.slice(0, 60)} (${short})`;
}

function words({ kind, percent: share, why }: ShownStep): string {
  const because = why === '' ? '' : `: ${why}`;
  switch (kind) {
    case 'began':
    case 'step':
      return `${share} % of the visitors${because}`;
    case 'paused':
    case 'held':
      return `${kind} at ${share} %${because}`;
    default:
      return `${kind}${because}`;
  }
}
