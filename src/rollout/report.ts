/** The verdict of a rollout, computed again from what its host kept. Pure. */
import { z } from 'zod';
import { hasEnded, type RolloutMetric, type RolloutStatus } from '../contract/rollout.ts';
import { isHarmful, observeUnits, UNIT_METRICS } from '../judge/units/state.ts';
import type { UnitEvent } from '../judge/units/types.ts';
import { type KeptEvent, ROLLOUT_FORMAT, type RolloutReport } from './kept.ts';
import { beginState, type RolloutState } from './next.ts';
import { metricsOf } from './status.ts';

/** Whether it says of itself that it is one. */
export function isRolloutReport(document: unknown): boolean {
  return (
    typeof document === 'object' &&
    document !== null &&
    'format' in document &&
    document.format === ROLLOUT_FORMAT
  );
}

const count = z.int().nonnegative();
const perSide = z.object({ baseline: count, candidate: count });
const chance = z.number().gt(0).lt(1);
const at = z.number();
const value = z.object({ requests: count, failed: count, ms: z.array(z.number().nonnegative()) });
const slow = z.array(perSide).optional();
const sides = { failed: perSide, refused: perSide, alone: perSide, returned: perSide, slow };
const event = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('second'), at, deals: z.array(z.object({ chance, ...sides })) }),
  z.object({
    kind: z.literal('block'),
    at,
    warm: z.boolean(),
    strata: z.array(
      z.object({ chance, dealt: perSide, baseline: z.array(value), candidate: z.array(value) }),
    ),
  }),
  z.object({ kind: z.literal('resumed'), at }),
]);
/** As much of a status as is judged or shown. */
const status = z.looseObject({
  app: z.string(),
  phase: z.enum(['running', 'paused', 'held', 'promoted', 'taken back']),
  began: z.iso.datetime(),
  at: z.iso.datetime(),
  steps: z.array(z.number().gt(0).max(100)).min(1),
  percent: z.number(),
  alpha: z.number().gt(0).lt(1),
  alarm: z.number().gt(1),
  rules: count.optional(),
  baseline: z.looseObject({ release: z.string(), ref: z.string() }),
  candidate: z.looseObject({ release: z.string(), ref: z.string() }),
  sides: z.looseObject({
    baseline: z.object({ visitors: count, requests: count, failed: count }),
    candidate: z.object({ visitors: count, requests: count, failed: count }),
  }),
  metrics: z.array(z.looseObject({ name: z.string() })),
  next: z.looseObject({ percent: z.number(), waitsFor: z.string() }).nullable(),
  events: z.array(z.looseObject({ kind: z.string(), percent: z.number(), why: z.string() })),
});
const report = z.object({
  format: z.literal(ROLLOUT_FORMAT),
  version: z.literal(1),
  status,
  events: z.array(event),
});

/** The report in a document, or what is wrong with it, as `where: what`. */
export function parseRolloutReport(
  document: unknown,
): { readonly report: RolloutReport } | { readonly mistake: string } {
  const parsed = report.safeParse(document);
  if (parsed.success) return { report: document as RolloutReport };
  const [issue] = parsed.error.issues;
  return { mistake: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` };
}

export interface JudgedRollout {
  /** With the figures that were computed now. */
  readonly status: RolloutStatus;
  /** The evidence suffices for taking the candidate back. */
  readonly harmful: boolean;
  /** Whether the host said the same; null: it goes on, so there may be more evidence than was decided on. */
  readonly agrees: boolean | null;
}

/** The verdict computed again, from the evidence alone. */
export function judgeRollout({ status, events }: RolloutReport): JudgedRollout {
  const begun = beginState(status, status.rules ?? 1);
  const judge = decidedOn(events).reduce(observeUnits, begun.judge);
  const state: RolloutState = { ...begun, phase: status.phase, step: stepOf(status), judge };
  const metrics = metricsOf(state, status.sides);
  const harmful = isHarmful(judge);
  const agrees = hasEnded(status.phase) ? sameFigures(metrics, status.metrics) : null;
  return { status: { ...status, metrics }, harmful, agrees };
}

/** What was known to the process that decided. */
export function decidedOn(events: readonly KeptEvent[]): readonly UnitEvent[] {
  const known: UnitEvent[] = [];
  for (const event of events) {
    if (event.kind !== 'resumed') known.push(event);
    else while ((known.at(-1)?.at ?? Number.NEGATIVE_INFINITY) > event.at) known.pop();
  }
  return known;
}

/** The step that held when it was told last. */
function stepOf({ steps, events }: RolloutStatus): number {
  const last = events.findLast(({ kind }) => kind === 'step' || kind === 'began');
  return Math.max(0, steps.indexOf(last?.percent ?? steps[0] ?? 0));
}

function sameFigures(computed: readonly RolloutMetric[], told: readonly RolloutMetric[]): boolean {
  const facts = (metrics: readonly RolloutMetric[]) =>
    JSON.stringify(
      metrics.map(({ name, baseline, candidate, odds, cleared }) => [
        name,
        baseline,
        candidate,
        odds,
        cleared,
      ]),
    );
  // Earlier programs told nothing of errors until their evidence had its first block.
  const silent = told.some(({ name, baseline }) => name === UNIT_METRICS.errors && baseline === null);
  const known = computed.map((metric) =>
    silent && metric.name === UNIT_METRICS.errors ? { ...metric, baseline: null, candidate: null } : metric,
  );
  return facts(known) === facts(told);
}
