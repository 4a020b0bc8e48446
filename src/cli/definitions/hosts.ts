/** Commands about hosts. */
import type { CommandDefinition } from '../command.ts';
import { existing, inventory, provider, wait, yes } from './shared.ts';

export const hosts = {
  init: {
    path: 'init',
    summary: 'write an annotated pipeline.yml',
    description:
      'Looks at this folder (package.json, pom.xml, git remote) and writes a pipeline.yml that ' +
      'fits it. Never overwrites one.',
    options: {},
  },
  doctor: {
    path: 'doctor',
    summary: 'say what this machine, the token and the hosts lack, and how to fix it',
    options: { provider, inventory },
  },
  prodPlan: {
    path: 'prod plan',
    summary: 'show what `up` would change; touch nothing',
    options: { provider, inventory: existing },
    examples: ['pipeline prod plan', 'pipeline prod plan -i inventory.ini'],
  },
  prodUp: {
    path: 'prod up',
    summary: 'create what is missing, configure it, write inventory.ini',
    description:
      'Run it as often as you like: a second run changes nothing. With -i it changes hosts that you ' +
      'already have: it shows what it would do, says what of yours that concerns, and asks.',
    options: { provider, inventory: existing, wait, yes },
    examples: [
      'pipeline prod up',
      'pipeline prod up --provider digitalocean',
      'pipeline prod up -i inventory.ini',
    ],
  },
  prodStatus: {
    path: 'prod status',
    summary: 'show hosts, addresses, releases, health',
    options: { provider, inventory },
  },
  prodSsh: {
    path: 'prod ssh',
    summary: 'open a shell on a host, or run one command there',
    arguments: [
      { name: '<host>', description: 'host in pipeline.yml or the inventory' },
      { name: '[command...]', description: 'command to run, after --' },
    ],
    options: { provider, inventory },
    examples: ['pipeline prod ssh checkbox', 'pipeline prod ssh checkbox -- systemctl status nginx'],
  },
  prodDestroy: {
    path: 'prod destroy',
    summary: 'remove what `up` created, and nothing else',
    options: {
      provider,
      yes,
      wait,
      orphans: {
        flags: '--orphans',
        description: 'remove local hosts of projects whose folder is gone, not those of this project',
        type: 'flag',
      },
      canary: {
        flags: '--canary',
        description: 'remove the local hosts that a canary kept, not those of `up`',
        type: 'flag',
      },
    },
  },
  prodReplace: {
    path: 'prod replace',
    summary: 'make a lost host anew, with its applications and the newest backup',
    description:
      'Says first what is lost, in minutes, and asks. What remains of the host is removed. Run ' +
      'it again where it was interrupted. With -i, bring a new, empty machine first, and write its ' +
      'address into the inventory where it has another one: nothing is made or removed.',
    arguments: [{ name: '<host>', description: 'host in pipeline.yml, or in the inventory' }],
    options: { provider, inventory: existing, yes, wait },
    examples: ['pipeline prod replace web', 'pipeline prod replace web -i inventory.ini'],
  },
} as const satisfies Readonly<Record<string, CommandDefinition>>;
