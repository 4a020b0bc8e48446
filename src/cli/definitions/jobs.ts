/** Commands about jobs. */
import type { ArgumentDefinition, CommandDefinition } from '../command.ts';
import { inventory } from './shared.ts';

const app = {
  name: '<app>',
  description: 'application in pipeline.yml',
} as const satisfies ArgumentDefinition;
const job = {
  name: '<job>',
  description: 'job of the version that serves',
} as const satisfies ArgumentDefinition;

export const jobs = {
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
