/** Commands about live canaries. */
import type { CommandDefinition } from '../command.ts';
import { inventory, rolloutOf } from './shared.ts';

export const rollouts = {
  rolloutStatus: {
    path: 'rollout status',
    summary: 'show the current rollout, or how the last one ended',
    arguments: rolloutOf,
    options: {
      inventory,
      save: {
        flags: '--save <file>',
        description: 'save it with all of its evidence here, for pipeline judge',
        type: 'text',
      },
    },
  },
  rolloutWatch: {
    path: 'rollout watch',
    summary: 'show it live until it ends; Ctrl-C leaves the view, not the rollout',
    arguments: rolloutOf,
    options: { inventory },
  },
  rolloutPause: {
    path: 'rollout pause',
    summary: 'take no further step; harm still ends the rollout',
    arguments: rolloutOf,
    options: { inventory },
  },
  rolloutResume: {
    path: 'rollout resume',
    summary: 'go on after a pause, or when held',
    arguments: rolloutOf,
    options: { inventory },
  },
  rolloutPromote: {
    path: 'rollout promote',
    summary: 'give everybody the new version now',
    arguments: rolloutOf,
    options: { inventory },
  },
  rolloutAbort: {
    path: 'rollout abort',
    summary: 'give everybody the old version back now',
    arguments: rolloutOf,
    options: { inventory },
  },
} as const satisfies Readonly<Record<string, CommandDefinition>>;
