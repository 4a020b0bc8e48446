/** Options and arguments that several commands have. */
import type { ArgumentDefinition, OptionDefinition } from '../command.ts';

export const provider = {
  flags: '--provider <name>',
  description: 'where hosts come from',
  type: 'text',
  choices: ['local', 'digitalocean'],
} as const satisfies OptionDefinition;
export const inventory = {
  flags: '-i, --inventory <file>',
  description: 'Ansible inventory of the hosts (default: inventory.ini beside pipeline.yml)',
  type: 'text',
} as const satisfies OptionDefinition;
export const existing = {
  flags: '-i, --inventory <file>',
  description: 'hosts that you already have, in the groups of this Ansible inventory: none is made',
  type: 'text',
} as const satisfies OptionDefinition;
export const wait = {
  flags: '--wait',
  description: 'wait while somebody else holds the lock, instead of giving up',
  type: 'flag',
} as const satisfies OptionDefinition;
export const artifact = {
  flags: '--artifact <file>',
  description: 'use this WAR, program or .tar.gz instead of building from git',
  type: 'text',
} as const satisfies OptionDefinition;
export const yes = {
  flags: '-y, --yes',
  description: 'do not ask',
  type: 'flag',
} as const satisfies OptionDefinition;

export const rolloutOf = [
  { name: '<app>', description: 'application in pipeline.yml' },
] as const satisfies readonly ArgumentDefinition[];

export const backupOf = [
  { name: '[app]', description: 'application in pipeline.yml (default: all, with hosts and monitor)' },
] as const satisfies readonly ArgumentDefinition[];
