/**
 * What deploys tell people: that one failed, that a rollout was taken back, or that one waits for a person.
 * Pure.
 */
import type { Notice } from './types.ts';

/** What of an event is looked at. */
export interface DeployEvent {
  readonly id: string;
  readonly at: number;
  readonly kind: string;
  readonly app: string;
  readonly result: string;
  readonly text: string;
  readonly by?: string | undefined;
}

/** What is older is found in the events: a host that was away tells what it did meanwhile. */
const NEWS_MS = 15 * 60_000;

/** @returns undefined for what went well or is old */
export function deployNotice(event: DeployEvent, now: number): Notice | undefined {
  const { id, at, app } = event;
  const message = messageOf(event);
  if (message === undefined || now - at > NEWS_MS) return undefined;
  const alert = { key: `deploys|${app}|${id}`, rule: 'deploys', severity: 'warning', subject: app } as const;
  return { state: 'firing', alert: { ...alert, message, since: at }, at: now };
}

function messageOf({ kind, result, text, app }: DeployEvent): string | undefined {
  if (kind === 'deploy' || kind === 'rollback') return result === 'failed' ? `failed: ${text}` : undefined;
  if (kind !== 'rollout') return undefined;
  if (result === 'taken back') return text;
  return result === 'held' ? `${text}. Decide: pipeline rollout promote ${app}, or abort` : undefined;
}
