/**
 * The rollout of an application: where the host that divides its visitors tells of it (`RolloutStatus`), and
 * what it may be told. How it begins is a part of a release's order (`RolloutOrder`).
 */
import { settingsFolder } from './places.ts';
import type { RolloutPhase } from './rollout-status.ts';

export type * from './rollout-status.ts';

/**
 * Newest state of each application's rollout, in memory: `APP.json`, replaced every second. Anyone may read.
 */
export const ROLLOUT_STATUS = '/run/pipeline/rollouts';
/** Those that have ended, `APP/ID.json`, the newest ten of each application. */
export const ROLLOUTS_ENDED = '/var/lib/pipeline/rollouts';

/**
 * What a rollout needs to go on after a reboot: `order.json`, `state.json`, `word`, `secrets`, `site.before`.
 */
export function rolloutFolder(app: string): string {
  return `${settingsFolder(app)}/rollout`;
}

export function rolloutUnit(app: string): string {
  return `pipeline-rollout@${app}.service`;
}

export function rolloutStatusPath(app: string): string {
  return `${ROLLOUT_STATUS}/${app}.json`;
}

/** Where a balancer's site says to its hosts what it has decided; without a decision: 404. */
export const ROLLOUT_END_PATH = '/.well-known/pipeline-rollout';

/** What lies there (`endWord`). */
export function rolloutEndFile(app: string, id: string): string {
  return `${ROLLOUTS_ENDED}/${app}/${id}.end`;
}

/** What a person may say to it. */
export const ROLLOUT_WORDS = ['pause', 'resume', 'promote', 'abort'] as const;
export type RolloutWord = (typeof ROLLOUT_WORDS)[number];

/** Both versions serve no more. */
export function hasEnded(phase: RolloutPhase): boolean {
  return phase === 'promoted' || phase === 'taken back';
}
