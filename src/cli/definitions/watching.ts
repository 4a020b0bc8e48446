/** Commands about the monitor. */
import type { CommandDefinition } from '../command.ts';
import { inventory, wait } from './shared.ts';

export const watching = {
  monitorSetup: {
    path: 'monitor setup',
    summary: 'put Redis, hub and dashboard on the monitor, and an agent on every host',
    description:
      'Run it as often as you like: a second run changes nothing. New hosts join by `prod up` and this.',
    options: { inventory, wait },
    examples: ['pipeline monitor setup -i inventory.ini'],
  },
  monitorSetupAlias: {
    path: 'monitor-setup',
    summary: 'the same as `monitor setup`',
    options: { inventory, wait },
  },
  monitorOpen: {
    path: 'monitor open',
    summary: 'open the dashboard, or print its address where there is no screen',
    options: { inventory },
  },
  monitorStatus: {
    path: 'monitor status',
    summary: 'show when each host was last heard, and which alerts fire',
    options: { inventory },
  },
  monitorUsers: {
    path: 'monitor users',
    summary: 'list, add, renew or remove users of the dashboard',
    description:
      '`set NAME` makes a user, or gives one a new password, which is shown once. Users can only read, ' +
      'except with --admin.',
    arguments: [
      { name: '[verb]', description: 'list (the default), set, remove' },
      { name: '[name]', description: 'user' },
    ],
    options: {
      inventory,
      admin: { flags: '--admin', description: 'let the user record events', type: 'flag' },
    },
    examples: ['pipeline monitor users', 'pipeline monitor users set ann'],
  },
  monitorSilence: {
    path: 'monitor silence',
    summary: 'tell nobody about a host, an application, a rule or all, for a while',
    description:
      'It ends by itself. What still lasts then is told; the dashboard shows it all the time. Without ' +
      'arguments: the silences that go on.',
    arguments: [
      { name: '[subject]', description: 'host, application, rule of `alerts: rules:`, or all' },
      { name: '[for]', description: 'how long, e.g. 2h; at most 30d' },
      { name: '[why]', description: 'why, for the others' },
    ],
    options: {
      inventory,
      end: { flags: '--end', description: 'tell about the subject again', type: 'flag' },
    },
    examples: [
      'pipeline monitor silence web 2h "new disk"',
      'pipeline monitor silence latency 1d "import runs"',
      'pipeline monitor silence web --end',
    ],
  },
  monitorAcknowledge: {
    path: 'monitor acknowledge',
    summary: 'take what fires about a host, an application or a rule: it is not told again while it lasts',
    description:
      'The dashboard shows who has taken it. That it became critical, and that it is over, is told.',
    arguments: [
      {
        name: '[subject]',
        description: 'host, application, rule, or all; without: what fires and who has taken it',
      },
    ],
    options: {
      inventory,
      end: { flags: '--end', description: 'give it back', type: 'flag' },
    },
    examples: ['pipeline monitor acknowledge web', 'pipeline monitor acknowledge web --end'],
  },
  monitorIncident: {
    path: 'monitor incident',
    summary: 'say something on the status page: of the incident that goes on, or of a new one',
    description:
      'Alerts open and close incidents by themselves. Without one about --app, the words open one, which --end ' +
      'closes. Everybody can read them: name no hosts. Without words: the incidents that go on.',
    arguments: [{ name: '[words]', description: 'for visitors, e.g. "Payments are back."' }],
    options: {
      inventory,
      app: { flags: '--app <app>', description: 'what it is about (default: all)', type: 'text' },
      end: { flags: '--end', description: 'close the incident that a person opened', type: 'flag' },
    },
    examples: [
      'pipeline monitor incident --app shop "A disk is full. We make room."',
      'pipeline monitor incident --app shop --end "All is well again."',
    ],
  },
  monitorPreview: {
    path: 'monitor preview',
    summary: 'show when your own rules would have fired, on what the monitor has kept',
    description:
      'Nobody is told, and nothing is changed. Without a rule: all of `alerts: own:` in pipeline.yml, also ' +
      'before `monitor setup` has brought them.',
    arguments: [
      { name: '[rule]', description: 'name of a rule, or a rule in quotes; docs/alerts.md has the words' },
    ],
    options: {
      inventory,
      last: { flags: '--last <time>', description: 'how far to look back (default 7d)', type: 'duration' },
    },
    examples: [
      'pipeline monitor preview',
      'pipeline monitor preview "route latency p99 of /api/pay > 800ms for 5m"',
    ],
  },
  monitorTestAlert: {
    path: 'monitor test-alert',
    summary: 'send a test message wherever alerts go',
    options: { inventory },
  },
} as const satisfies Readonly<Record<string, CommandDefinition>>;
