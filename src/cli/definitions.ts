/** Every command, as data. Handlers are in `commands/`: one file each, named like its path. */
import type { CommandDefinition } from './command.ts';
import { backups } from './definitions/backups.ts';
import { hosts } from './definitions/hosts.ts';
import { jobs } from './definitions/jobs.ts';
import { releases } from './definitions/releases.ts';
import { rollouts } from './definitions/rollouts.ts';
import { verdicts } from './definitions/verdicts.ts';
import { watching } from './definitions/watching.ts';

export const definitions = {
  ...hosts,
  ...releases,
  ...jobs,
  ...rollouts,
  ...backups,
  ...verdicts,
  ...watching,
} as const satisfies Readonly<Record<string, CommandDefinition>>;

export type CommandName = keyof typeof definitions;
