/**
 * Writes the past of a sample fleet into Redis as the hub would have, and goes on sending samples as its
 * agents would.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { recordRun } from '../../../src/hub/events/canaries.ts';
import { recordEvent } from '../../../src/hub/events/events.ts';
import { recordRollouts } from '../../../src/hub/events/rollouts.ts';
import { inbox } from '../../../src/hub/store/keys.ts';
import type { Redis } from '../../../src/hub/store/redis.ts';
import { entriesOf } from '../../../src/hub/store/windows.ts';
import { TIERS, type Tier } from '../../../src/metrics/tiers.ts';
import { encodeSample } from '../../../src/metrics/wire.ts';
import { pastRuns, runUnderWay } from './canaries.ts';
import { type SampleFleet, sampleWindow } from './fleet.ts';
import { endedStatus, rolloutStatus } from './rollouts.ts';

export interface Past {
  readonly now: number;
  readonly intervalSeconds: number;
  /** How far back each tier reaches, hours. */
  readonly hours: { readonly raw: number; readonly minute: number; readonly 'ten-minutes': number };
}

export async function writePast(redis: Redis, fleet: SampleFleet, past: Past): Promise<void> {
  const { now, hours } = past;
  for (const tier of TIERS)
    await writeTier(redis, fleet, past, tier, now - hours[tier.name] * 3_600_000, now);
  // Writing took its time, of which the charts are to have samples too.
  for (const tier of TIERS.slice(0, 2)) await writeTier(redis, fleet, past, tier, now + 1, Date.now());
  for (const { name: app, hosts, releases } of fleet.apps)
    for (const [index, { name: release, commit, at, by }] of releases.entries()) {
      const text = `deploy ${app} ${release}`;
      const [host = ''] = hosts;
      await recordEvent(
        redis,
        { at, kind: 'deploy', app, host, release, commit, by, result: 'live', text },
        now,
      );
      if (index !== 2) continue;
      const back = {
        at: at + 9 * 60_000,
        kind: 'rollback',
        result: 'done',
        text: `rollback ${app} ${release}: p99 rose`,
      } as const;
      await recordEvent(redis, { ...back, app, host, release, commit, by }, now);
    }
  for (const [run, ago] of pastRuns()) await recordRun(redis, run, now - ago);
  for (const [kind, ago] of [
    ['promoted', 26],
    ['taken back', 3],
    ['held', 0.5],
  ] as const) {
    const id = `sample-${kind.replace(' ', '-')}`;
    const began = now - ago * 3_600_000;
    const end = began + 20 * 60_000;
    const [app, host] = kind === 'held' ? ['itrust', 'itrust'] : ['checkbox.io', 'checkbox'];
    const status = { ...endedStatus(id, began, end, kind), app };
    const heard = { host, heardAt: kind === 'held' ? now : end, aheadMs: 0 };
    await recordRollouts(redis, [{ app, id, status: JSON.stringify(status) }], heard);
  }
}

async function writeTier(
  redis: Redis,
  fleet: SampleFleet,
  { now, intervalSeconds }: Past,
  tier: Tier,
  from: number,
  to: number,
): Promise<void> {
  const seconds = tier.seconds || intervalSeconds;
  const step = seconds * 1000;
  for (const host of fleet.hosts) {
    let multi = redis.multi();
    let waiting = 0;
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      for (const { key, fields } of entriesOf(tier, sampleWindow(fleet, host, at, seconds, now)))
        multi.xAdd(key, `${at}-0`, fields);
      if (++waiting < 200) continue;
      await multi.exec();
      multi = redis.multi();
      waiting = 0;
    }
    await multi.exec();
  }
}

/** Until the signal, every host but the silent one sends a sample each interval. */
export async function sendSamples(
  redis: Redis,
  fleet: SampleFleet,
  { now, intervalSeconds }: Past,
  signal: AbortSignal,
): Promise<void> {
  for (let sequence = 0; !signal.aborted; sequence++) {
    const at = Date.now();
    if (at - now < 610_000) await recordRun(redis, runUnderWay(at - now), at);
    for (const host of fleet.hosts) {
      if (host === fleet.silent && sequence > 5) continue;
      const measured = sampleWindow(fleet, host, at, intervalSeconds, now);
      const status = rolloutStatus('sample-running', now - 90_000, at);
      const row = { app: status.app, id: status.id, status: JSON.stringify(status) };
      const window = host === 'checkbox' ? { ...measured, rollouts: [row] } : measured;
      await redis.xAdd(
        inbox(host),
        '*',
        encodeSample({ window, instance: `sample-${now}`, sequence, sentAt: at }),
      );
    }
    await sleep(Math.max(0, at + intervalSeconds * 1000 - Date.now()), undefined, { signal }).catch(() => {});
  }
}
