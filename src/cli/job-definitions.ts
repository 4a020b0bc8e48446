/** Commands about jobs, as data. */
import type { ArgumentDefinition, CommandDefinition, OptionDefinition } from './command.ts';

const inventory = {
  flags: '-i, --inventory <file>',
  description: 'Ansible inventory of the hosts (default: inventory.ini beside pipeline.yml)',
  type: 'text',
} as const satisfies OptionDefinition;

const app = {
  name: '<app>',
  description: 'application in pipeline.yml',
} as const satisfies ArgumentDefinition;
const job = {
  name: '<job>',
  description: 'job of the version that serves',
} as const satisfies ArgumentDefinition;

export const jobDefinitions = {
  jobs: {
    path: 'jobs',
    summary: 'show timed jobs: when they run next, and how they went',
    arguments: [app],
    options: { inventory },
    examples: ['pipeline jobs shop', 'pipeline jobs run shop nightly', 'pipeline jobs log shop nightly'],
  },
  jobsRun: {
    path: 'jobs run',
    summary: 'run a job now, and show what it prints',
    description: 'Exit code 0 where it succeeds, 3 where it fails. Ctrl-C leaves it running.',
    arguments: [app, job],
    options: { inventory },
  },
  jobsLog: {
    path: 'jobs log',
    summary: "show the end of a job's log",
    arguments: [app, job],
    options: { inventory },
  },
} as const satisfies Readonly<Record<string, CommandDefinition>>;
