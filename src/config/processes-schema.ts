/** What an application can say of its processes beside the web one, and of its timed jobs. */
import { z } from 'zod';
import { calendarOfEvery, calendarProblem, isZone } from './calendar.ts';
import { bytes, duration } from './units.ts';

/** Signals that end a process and that it can hear. */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

const NAME = /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/;

/** Names of processes and jobs are part of their units' names, where a number counts instances. */
const partName = () =>
  z
    .string()
    .max(32)
    .regex(NAME, 'expected lower-case letters, digits and dashes, a letter first and after each dash');

/** A shell command: one line, since a unit's script has one. */
const command = () =>
  z
    .string()
    .regex(/\S/, 'expected a shell command')
    .refine((text) => !text.includes('\n'), 'expected one line');

const processForm = z.strictObject({
  run: command().describe('Shell command that runs it, in the folder of the service.'),
  instances: z.int().min(1).max(16).default(1).describe('Processes on each host.'),
  memory: bytes().optional().describe('Memory limit of one of them.'),
  when: z
    .enum(['before', 'after'])
    .default('before')
    .describe('Whether those of a new version start before visitors are switched to it, or after.'),
  exclusive: z
    .boolean()
    .default(false)
    .describe('Old and new version never run it at once: the old one ends before the new one starts.'),
  stop: z
    .strictObject({
      signal: z.enum(STOP_SIGNALS).default('SIGTERM').describe('Signal that asks it to end.'),
      within: duration()
        .refine((ms) => ms >= 1000 && ms <= 3_600_000, 'expected 1s to 1h')
        .default(30_000)
        .describe('How long it may take to finish what it is at; then it is killed.'),
    })
    .prefault({})
    .describe('How it is stopped.'),
});

export const processesSchema = z
  .record(
    partName(),
    z
      .union([command().describe('Shell command that runs it.'), processForm])
      .transform((given) => (typeof given === 'string' ? processForm.parse({ run: given }) : given)),
  )
  .default({})
  .describe('Processes beside the web one: same release, user and environment, no port.');

const calendar = () =>
  z.string().superRefine((text, context) => {
    const problem = calendarProblem(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

const jobForm = z
  .strictObject({
    run: command().describe('Shell command, run in the folder of the service.'),
    at: z
      .union([calendar(), z.array(calendar()).min(1)])
      .optional()
      .describe("When it runs: 03:00, Mon..Fri 08:30, *-*-01 04:00, in systemd's words; or several."),
    every: duration()
      .refine(
        (ms) => calendarOfEvery(ms) !== undefined,
        'expected a time that divides a minute, an hour or a day, like 15m or 6h',
      )
      .optional()
      .describe('Instead of `at`: how often, counted from midnight.'),
    zone: z
      .string()
      .refine(isZone, 'expected a time zone like Europe/Berlin')
      .default('UTC')
      .describe('Time zone of `at` and `every`.'),
    timeout: duration()
      .refine((ms) => ms >= 1000, 'expected at least 1s')
      .default(3_600_000)
      .describe('How long it may take; then it is stopped, and counts as failed.'),
    overlap: z
      .union([z.string(), z.boolean()])
      .refine(
        (given) => given === 'no' || given === false,
        'expected no: a job never runs beside itself, and a time that comes meanwhile follows right after',
      )
      .optional()
      .describe('Always no: a job never runs beside itself.'),
  })
  .superRefine(({ at, every }, context) => {
    if (at === undefined && every === undefined) {
      context.addIssue({ code: 'custom', message: 'expected at: or every:', path: [] });
    }
    if (at !== undefined && every !== undefined) {
      const message = 'stands beside at: one of them must go';
      context.addIssue({ code: 'custom', message, path: ['every'] });
    }
  });

export const jobsSchema = z
  .record(partName(), jobForm)
  .default({})
  .describe("Commands that run at times, on the application's first host, in the version that serves.");

export type JobConfig = z.output<typeof jobsSchema>[string];
