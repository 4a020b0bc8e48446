/** What is watched, when people are called, and where. */
import { z } from 'zod';
import { RuleMistake } from './own-rules/mistake.ts';
import { parseRule, type RuleExpression } from './own-rules/parse.ts';
import { address, hostName, variable } from './schema-values.ts';
import { duration } from './units.ts';

/** What a mail server's address must be; said for one from the environment too. Never quotes the address. */
export const SMTP_FORM =
  'expected smtp://user:password@host:587, user and password percent-encoded: # is %23, / is %2F, @ is %40';

/**
 * Whether it is a mail server's address. `/` or `#` in a password end the host's name, so what follows it
 * tells.
 */
export function isSmtpAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, hash } = new URL(text);
  return /^smtps?:$/.test(protocol) && hostname !== '' && pathname.length < 2 && hash === '';
}

const notifierSchema = z.union([
  z.strictObject({
    webhook: address.describe('Gets each message (POST), as JSON unless `body` says otherwise.'),
    headers: z
      .record(z.string(), z.string())
      .optional()
      .describe('Request headers; ${NAME} is a variable of the environment.'),
    body: z
      .union([z.string(), z.record(z.string(), z.unknown())])
      .optional()
      .describe(
        'What is sent: a text, or a JSON document. Lower-case names: see docs/alerts.md; ' +
          '${NAME} is a variable.',
      ),
  }),
  z.strictObject({ slack: address.describe('Incoming webhook of Slack, Mattermost or Discord (/slack).') }),
  z.strictObject({
    email: z
      .strictObject({
        to: z.array(z.email()).min(1).describe('Who gets it.'),
        from: z.email().describe('Sender.'),
        smtp: z
          .union([
            z.string().refine(isSmtpAddress, SMTP_FORM),
            z.strictObject({
              env: variable().describe('Name of the environment variable that holds the address.'),
            }),
          ])
          .describe(
            'Mail server: smtp://user:password@host:587; from the environment where it holds a password.',
          ),
        tls: z
          .union([
            z.enum(['on', 'off']),
            z.string().startsWith('/', 'expected on, off, or the absolute path of a PEM file'),
          ])
          .optional()
          .describe(
            'on: never without TLS; off: never with it; a path: PEM file on the monitor with the CA to ' +
              'trust. Default: TLS where the server has it, required for a password; the certificate ' +
              'counts except on localhost.',
          ),
      })
      .describe('E-mail.'),
  }),
]);

const HOUR_MS = 3_600_000;

export const checkSchema = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Address that is asked; where it is https, its certificate is watched too.'),
    tcp: z
      .string()
      .regex(/^.+:\d{1,5}$/, 'expected host:port')
      .optional()
      .describe('Instead of url: host:port that must accept a connection.'),
    method: z.enum(['GET', 'POST', 'PUT', 'HEAD']).default('GET').describe('HTTP method.'),
    headers: z.record(z.string(), z.string()).default({}).describe('Request headers.'),
    body: z.string().optional().describe('Request body.'),
    status: z
      .union([z.int().min(100).max(599), z.array(z.int().min(100).max(599)).min(1)])
      .optional()
      .describe('Accepted status or statuses. Default: everything below 400.'),
    follow: z
      .boolean()
      .optional()
      .describe(
        'Follow redirects and judge the last answer. Default: true, unless status asks for a redirect.',
      ),
    ca: z
      .string()
      .startsWith('/', 'expected an absolute path')
      .optional()
      .describe("PEM file with a CA of one's own, on the hosts that ask: trusted beside the usual ones."),
    contains: z.string().optional().describe('Text that the answer must hold.'),
    every: duration()
      .refine((ms) => ms >= 1000 && ms <= HOUR_MS, 'expected 1s to 1h')
      .default(15_000)
      .describe('Time from one to the next.'),
    timeout: duration()
      .refine((ms) => ms >= 100 && ms <= 60_000, 'expected 100ms to 60s')
      .default(5_000)
      .describe('How long an answer may take.'),
    from: z
      .array(hostName())
      .min(1)
      .optional()
      .describe('Entries of `hosts:` that ask. Default: the monitor.'),
  })
  .refine(({ url, tcp }) => (url === undefined) !== (tcp === undefined), 'needs either url or tcp');

const clock = () => z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time like 22:00');

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}

/** A rule: `off`, or its settings. Thresholds differ in meaning; `for` is how long before it fires. */
const rule = (above: number, unit: string, ms: number) =>
  z
    .union([
      z.literal('off'),
      z.strictObject({
        above: z.number().nonnegative().default(above).describe(`Fires above this (${unit}).`),
        for: duration().default(ms).describe('How long before it fires.'),
      }),
    ])
    .prefault({});
const lasting = (ms: number) =>
  z
    .union([
      z.literal('off'),
      z.strictObject({ for: duration().default(ms).describe('How long before it fires.') }),
    ])
    .prefault({});

const rulesSchema = z.strictObject({
  host_silent: lasting(12_000).describe('No sample from a host (critical).'),
  disk: rule(0.9, 'share in use, or on its way to full within 24 hours', 60_000).describe('A disk fills.'),
  memory: rule(0.95, 'share in use', 300_000).describe('Memory runs out.'),
  unit_failed: z
    .union([
      z.literal('off'),
      z.strictObject({
        for: duration().default(10_000).describe('How long before it fires.'),
        except: z
          .array(z.string().min(1))
          .optional()
          .describe('Units that may fail, e.g. apt-daily.service; `*` stands for anything.'),
      }),
    ])
    .prefault({})
    .describe('A systemd unit failed (critical).'),
  unit_restarts: rule(3, 'restarts within 10 minutes', 0).describe('A unit starts again and again.'),
  check: lasting(30_000).describe('An HTTP or TCP check fails (critical).'),
  store: lasting(30_000).describe('A database does not answer (critical).'),
  errors: rule(0.05, 'share of answers 5xx, of at least 20 requests', 30_000).describe(
    'An application fails (critical).',
  ),
  latency: rule(2, 'times its own p90 of the same hour a week ago', 300_000).describe(
    'An application is slow.',
  ),
  certificate: rule(14, 'days before it expires', 0).describe('A certificate expires.'),
  deploys: z
    .enum(['on', 'off'])
    .default('on')
    .describe('A deploy or rollback failed, or a new version was taken back.'),
  clock: rule(10, 'seconds between the clocks of host and monitor', 60_000).describe('A clock is wrong.'),
  backup: lasting(0).describe(
    'No backup for twice its interval, or one that could not be restored (critical).',
  ),
  storage: rule(0.8, "share of Redis's memory limit", 60_000).describe('The monitor runs full.'),
});

/** A rule of one's own, in words. */
const expression = () =>
  z
    .string()
    .min(1)
    .max(500)
    .transform((text, context): RuleExpression => {
      try {
        return parseRule(text);
      } catch (mistake) {
        if (!(mistake instanceof RuleMistake)) throw mistake;
        const place = mistake.at > text.trimEnd().length ? 'at the end' : `at character ${mistake.at}`;
        context.addIssue({ code: 'custom', message: `${place}: ${mistake.message}` });
        return z.NEVER;
      }
    })
    .describe('E.g. route latency p99 of /api/pay > 800ms for 5m: docs/alerts.md has the words.');

const OWN_NAME = /^[a-z][a-z0-9_-]{0,40}$/;
const ownName = () =>
  z
    .string()
    .regex(OWN_NAME, 'expected lower-case letters, digits, dashes and underscores, a letter first')
    .refine((text) => !(text in rulesSchema.shape), 'this is the name of a rule of alerts: rules:');

const ownRule = z.union([
  expression().transform((rule) => ({ ...rule, severity: 'warning' as const })),
  z
    .strictObject({
      when: expression(),
      severity: z.enum(['warning', 'critical']).default('warning').describe('How grave it is.'),
    })
    .transform(({ when, severity }) => ({ ...when, severity })),
]);

export const alertsSchema = z.strictObject({
  notify: z.array(notifierSchema).default([]).describe('Where messages go.'),
  quiet: z
    .strictObject({
      from: clock().describe('Begin, e.g. 22:00.'),
      to: clock().describe('End, e.g. 07:00.'),
      zone: z
        .string()
        .refine(isTimeZone, 'expected a time zone like Europe/Berlin')
        .default('UTC')
        .describe('Time zone, e.g. Europe/Berlin.'),
    })
    .optional()
    .describe('Hours in which warnings wait; critical messages go out.'),
  repeat: duration()
    .refine((ms) => ms >= 60_000, 'expected 1m or more')
    .optional()
    .describe('Tell again, as long as it lasts, after this time. Default: once.'),
  silence_after_deploy: duration()
    .refine((ms) => ms > 0 && ms <= HOUR_MS, 'expected up to 1h')
    .optional()
    .describe(
      'Tell nobody of an application for so long after each deploy or rollback of it, or step of a rollout; ' +
        'what fails then is told afterwards, if it lasts. Default: no.',
    ),
  heartbeat: z
    .strictObject({
      url: address.describe('Asked (GET) while the hub is well; the service there warns when it stays away.'),
      every: duration().default(60_000).describe('How often.'),
    })
    .optional()
    .describe("Dead man's switch: who notices that the monitor itself is gone."),
  rules: rulesSchema.prefault({}).describe('What is watched; `off` turns a rule off.'),
  own: z
    .record(ownName(), ownRule)
    .default({})
    .describe("Rules of your own by name, e.g. slow-pay: 'latency p99 on shop > 800ms for 5m'."),
});

export type CheckConfig = z.output<typeof checkSchema>;
export type AlertsConfig = z.output<typeof alertsSchema>;
export type OwnRules = AlertsConfig['own'];
