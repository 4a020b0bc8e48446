/** Canary runs, as `pipeline canary` tells of them while they run. The newest 200. */
import * as z from 'zod';
import type { CanaryDetail, CanaryPage, CanaryRun, HubEvent } from '../api-types.ts';
import { CANARIES_RUNNING, CANARY_TIMES, canary } from '../store/keys.ts';
import type { Redis } from '../store/redis.ts';
import { recordCanary } from './events.ts';

const MOST = 200;
/** Not heard for so long: whoever ran it is gone. */
const LOST_MS = 60_000;

const amount = z.number().nonnegative().max(1e12);
const number = z.number().nullable();
const text = z.string().max(1000);
const perSide = z.object({ baseline: amount, candidate: amount });
const side = z.object({ ref: text, commit: text, subject: text });

/**
 * What `pipeline canary` says of its run, as a whole each time. `ageMs` instead of a time: the clocks
 * differ. Keys that it does not know are left out: the command may be newer than the hub.
 */
export const canaryStatus = z.object({
  id: z.string().regex(/^[a-z0-9]{8,32}$/),
  app: z.string().min(1).max(64),
  baseline: side,
  candidate: side,
  by: text,
  ageMs: amount,
  state: z.enum(['running', 'passed', 'failed', 'inconclusive', 'interrupted']),
  score: z.number().min(0).max(100).nullable(),
  seconds: amount,
  atMostSeconds: amount,
  requests: perSide,
  reason: text,
  judge: z.string().max(40),
  metrics: z
    .array(
      z.object({
        name: text,
        route: text.optional(),
        critical: z.boolean(),
        verdict: z.enum(['pass', 'high', 'low', 'no data', 'inconclusive']),
        tone: z.enum(['pass', 'harm', 'open', 'none']).optional(),
        harm: z.string().max(40).optional(),
        unit: z.string().max(40),
        baseline: number,
        candidate: number,
        scale: z.enum(['ratio', 'difference']).nullable(),
        effect: number,
        interval: z.tuple([number, number]).nullable(),
        samples: perSide,
        reason: text,
      }),
    )
    .max(500),
  decidedBy: z.array(text).max(50),
  notes: z.array(text).max(50),
  times: z.array(amount).max(500),
  panels: z
    .array(
      z.object({
        id: z.string().max(40),
        title: z.string().max(80),
        unit: z.string().max(40),
        series: z.array(z.object({ name: z.string().max(80), values: z.array(number).max(500) })).max(4),
      }),
    )
    .max(12),
});
export type CanaryStatus = z.output<typeof canaryStatus>;

interface Stored {
  readonly heardAt: number;
  readonly detail: CanaryDetail;
}

/** Keeps what was told. Its event appears on the charts of the application, and changes when it ends. */
export async function recordRun(redis: Redis, status: CanaryStatus, now: number): Promise<void> {
  const before = await read(redis, status.id);
  const { ageMs, ...rest } = status;
  const startedAt = before?.detail.startedAt ?? Math.round(now - ageMs);
  const endedAt = status.state === 'running' ? null : now;
  await keep(redis, { heardAt: now, detail: { ...rest, startedAt, endedAt } }, before?.detail.state);
  const old = await redis.zRange(CANARY_TIMES, 0, -MOST - 1);
  if (old.length > 0) await redis.multi().zRem(CANARY_TIMES, old).del(old.map(canary)).exec();
}

async function keep(redis: Redis, stored: Stored, before: CanaryRun['state'] | undefined): Promise<void> {
  const { detail } = stored;
  const multi = redis
    .multi()
    .set(canary(detail.id), JSON.stringify(stored))
    .zAdd(CANARY_TIMES, { score: detail.startedAt, value: detail.id });
  if (detail.state === 'running') multi.sAdd(CANARIES_RUNNING, detail.id);
  else multi.sRem(CANARIES_RUNNING, detail.id);
  await multi.exec();
  if (before !== detail.state) await recordCanary(redis, eventOf(detail));
}

export async function readRun(redis: Redis, id: string): Promise<CanaryDetail | undefined> {
  return (await read(redis, id))?.detail;
}

/** One page, newest first. */
export async function pageOfRuns(
  redis: Redis,
  query: { readonly app?: string | undefined; readonly limit: number; readonly before?: string | undefined },
): Promise<CanaryPage> {
  const ids = await redis.zRange(CANARY_TIMES, 0, -1, { REV: true });
  const after = query.before === undefined ? 0 : ids.indexOf(query.before) + 1;
  const runs: CanaryRun[] = [];
  for (const id of ids.slice(after)) {
    const detail = await readRun(redis, id);
    if (detail === undefined || (query.app !== undefined && detail.app !== query.app)) continue;
    if (runs.length === query.limit) return { runs, next: runs.at(-1)?.id ?? null };
    runs.push(runOf(detail));
  }
  return { runs, next: null };
}

/** Runs that are under way, looked at again and again by the hub. */
export class RunningCanaries {
  runs: readonly CanaryRun[] = [];
  readonly #redis: Redis;
  readonly #tell: (event: HubEvent) => void;

  /** @param tell hears of the event of every run that begins or ends */
  constructor(redis: Redis, tell: (event: HubEvent) => void) {
    this.#redis = redis;
    this.#tell = tell;
  }

  async look(now: number): Promise<void> {
    const ids = await this.#redis.sMembers(CANARIES_RUNNING);
    const running: CanaryRun[] = [];
    for (const id of ids) {
      const stored = await read(this.#redis, id);
      if (stored === undefined) await this.#redis.sRem(CANARIES_RUNNING, id);
      else if (now - stored.heardAt < LOST_MS) running.push(runOf(stored.detail));
      else {
        const reason = 'Nothing more was heard of it.';
        const detail: CanaryDetail = { ...stored.detail, state: 'lost', endedAt: stored.heardAt, reason };
        await keep(this.#redis, { ...stored, detail }, 'running');
      }
    }
    const before = this.runs;
    this.runs = running.sort((a, b) => a.startedAt - b.startedAt || a.id.localeCompare(b.id));
    for (const run of running) if (!before.some(({ id }) => id === run.id)) this.#tell(eventOf(run));
    for (const { id } of before) {
      if (running.some((run) => run.id === id)) continue;
      const ended = await readRun(this.#redis, id);
      if (ended !== undefined) this.#tell(eventOf(ended));
    }
  }
}

async function read(redis: Redis, id: string): Promise<Stored | undefined> {
  const stored = await redis.get(canary(id));
  return stored === null ? undefined : (JSON.parse(stored) as Stored);
}

function runOf(detail: CanaryDetail): CanaryRun {
  const { judge: _j, metrics: _m, decidedBy: _d, notes: _n, times: _t, panels: _p, ...run } = detail;
  return run;
}

function eventOf(run: CanaryRun) {
  const { id, app, baseline, candidate, by, state, startedAt } = run;
  return {
    id: `canary-${id}`,
    at: startedAt,
    kind: 'canary' as const,
    action: 'canary',
    app,
    hosts: [],
    commit: candidate.commit,
    by,
    result: state,
    canary: id,
    text: `canary ${short(candidate.ref)} against ${short(baseline.ref)}: ${state}`.slice(0, 300),
  };
}

/** A commit as people write it; a branch as it is. */
function short(ref: string): string {
  return /^[0-9a-f]{40}$/.test(ref) ? ref.slice(0, 7) : ref;
}
