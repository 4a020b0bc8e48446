/** What deploys tell people: that one failed, or that a new version was taken back. Pure. */
import type { Notice } from './types.ts';

/** What of an event is looked at. */
export interface DeployEvent {
  readonly id: string;
  readonly at: number;
  readonly kind: string;
  readonly app: string;
  readonly result: string;
  readonly text: string;
}

/** What is older is found in the events: a host that was away tells what it did meanwhile. */
const NEWS_MS = 15 * 60_000;

/** @returns undefined for what went well or is old */
export function deployNotice(event: DeployEvent, now: number): Notice | undefined {
  const { id, at, kind, app, result, text } = event;
  if ((kind !== 'deploy' && kind !== 'rollback') || result !== 'failed' || now - at > NEWS_MS)
    return undefined;
  const alert = { key: `deploys|${app}|${id}`, rule: 'deploys', severity: 'warning', subject: app } as const;
  return { state: 'firing', alert: { ...alert, message: `failed: ${text}`, since: at }, at: now };
}
