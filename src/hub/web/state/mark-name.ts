/** How events are called on charts and in lists. Pure. */
import type { Mark } from '../../api-types.ts';
import { shortName } from './format.ts';

const SIGNS: Readonly<Record<string, string>> = {
  deploy: '▲',
  rollback: '↩',
  rollout: '◐',
  canary: '◆',
  change: '·',
};

/** Its sign, and its commit or its step. */
export function markName(mark: Mark): string {
  if (mark.percent !== undefined) return `${SIGNS.rollout} ${stepName(mark.percent, mark.result)}`;
  return `${SIGNS[mark.kind] ?? '·'} ${shortName(mark.commit, mark.release) || mark.action}`;
}

/** `25 %`, `held at 25 %`, `taken back`. */
function stepName(percent: number, result: string): string {
  if (result === 'taken back' || result === 'promoted') return result;
  return result === 'paused' || result === 'held' ? `${result} at ${percent} %` : `${percent} %`;
}
