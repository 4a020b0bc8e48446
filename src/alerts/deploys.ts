/** What people hear of deploys: that one failed, or that a host went back. Pure. */
import type { Notice } from './types.ts';

/** The part of an event that matters here. */
export interface DeployEvent {
  readonly id: string;
  readonly at: number;
  readonly kind: string;
  readonly app: string;
  readonly result: string;
  readonly text: string;
}

/** Older ones stay among the events: a host that was away reports what it did meanwhile. */
const NEWS_MS = 15 * 60_000;

/** @returns undefined if it went well, or is old */
export function deployNotice(event: DeployEvent, now: number): Notice | undefined {
  const { id, at, kind, app, result, text } = event;
  if ((kind !== 'deploy' && kind !== 'rollback') || result !== 'failed' || now - at > NEWS_MS)
    return undefined;
  const alert = { key: `deploys|${app}|${id}`, rule: 'deploys', severity: 'warning', subject: app } as const;
  return { state: 'firing', alert: { ...alert, message: `failed: ${text}`, since: at }, at: now };
}
