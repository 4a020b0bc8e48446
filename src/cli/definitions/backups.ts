/** Commands about backups. */
import type { CommandDefinition } from '../command.ts';
import { backupOf, inventory, wait, yes } from './shared.ts';

export const backups = {
  backupNow: {
    path: 'backup now',
    summary: 'back up now: one application, or everything',
    arguments: backupOf,
    options: { inventory },
    examples: ['pipeline backup now', 'pipeline backup now shop'],
  },
  backupList: {
    path: 'backup list',
    summary: 'show the backups that there are, newest first',
    arguments: backupOf,
    options: { inventory },
  },
  backupVerify: {
    path: 'backup verify',
    summary: 'restore the newest backups beside what is there, compare, and remove them again',
    arguments: backupOf,
    options: { inventory },
  },
  restore: {
    path: 'restore',
    summary: "bring an application's data back from a backup; what is there is backed up first",
    description:
      'KEY is a database in pipeline.yml, or files: what the application writes to its state ' +
      'folder. WHEN is a time (2h, 2026-11-28, 2026-11-28T03:00 in UTC), of which the last backup ' +
      'before counts, or one of `backup list`. Run it again where it was interrupted.',
    arguments: [
      { name: '<app>', description: 'application in pipeline.yml' },
      { name: '[key]', description: 'database, or files (default: all that it has)' },
      { name: '[when]', description: 'time or backup (default: the newest)' },
    ],
    options: {
      inventory,
      wait,
      yes,
      into: {
        flags: '--into <name>',
        description: 'restore into a new database or folder of this name, and replace nothing',
        type: 'text',
      },
    },
    examples: [
      'pipeline restore shop',
      'pipeline restore shop orders 2h',
      'pipeline restore shop orders --into orders_before',
    ],
  },
} as const satisfies Readonly<Record<string, CommandDefinition>>;
