/** What events are called on charts and in lists. Pure. */
import type { HubEvent } from '../../api-types.ts';
import { shortName } from './format.ts';

const SIGNS: Readonly<Record<string, string>> = {
  deploy: '▲',
  rollback: '↩',
  rollout: '◐',
  canary: '◆',
  change: '·',
};

/** Its sign, and its commit or its step. */
export function eventName(event: HubEvent): string {
  if (event.percent !== undefined) return `${SIGNS.rollout} ${stepName(event.percent, event.result)}`;
  return `${SIGNS[event.kind] ?? '·'} ${shortName(event.commit, event.release) || event.action}`;
}

/** `25 %`, `held at 25 %`, `taken back`. */
function stepName(percent: number, result: string): string {
  if (result === 'taken back' || result === 'promoted') return result;
  return result === 'paused' || result === 'held' ? `${result} at ${percent} %` : `${percent} %`;
}
