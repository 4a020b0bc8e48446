/** Every command of the program, as data. Handlers are in `commands/`, one file each, named like the path. */
import type { CommandDefinition, OptionDefinition } from './command.ts';

const provider = {
  flags: '--provider <name>',
  description: 'where hosts come from',
  type: 'text',
  choices: ['local', 'digitalocean'],
} as const satisfies OptionDefinition;
const inventory = {
  flags: '-i, --inventory <file>',
  description: 'Ansible inventory of the hosts (default: inventory.ini beside pipeline.yml)',
  type: 'text',
} as const satisfies OptionDefinition;
const existing = {
  flags: '-i, --inventory <file>',
  description: 'hosts that you already have, in the groups of this Ansible inventory: none is made',
  type: 'text',
} as const satisfies OptionDefinition;
const wait = {
  flags: '--wait',
  description: 'wait while somebody else holds the lock instead of giving up',
  type: 'flag',
} as const satisfies OptionDefinition;
const artifact = {
  flags: '--artifact <file>',
  description: 'this WAR instead of a build from git',
  type: 'text',
} as const satisfies OptionDefinition;
const yes = {
  flags: '-y, --yes',
  description: 'do not ask',
  type: 'flag',
} as const satisfies OptionDefinition;

export const definitions = {
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
    summary: 'say what this machine, the token and the hosts lack, and how to mend it',
    options: { provider, inventory },
  },
  prodPlan: {
    path: 'prod plan',
    summary: 'show what `up` would change, and touch nothing',
    options: { provider, inventory: existing },
    examples: ['pipeline prod plan', 'pipeline prod plan -i inventory.ini'],
  },
  prodUp: {
    path: 'prod up',
    summary: 'create what is missing, configure it, write inventory.ini',
    description:
      'Run it again as often as you like: the second run changes nothing. With -i it changes ' +
      'hosts that you already have: it shows what it would do, says what of yours that concerns, ' +
      'and asks.',
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
      { name: '<host>', description: 'host of pipeline.yml or of the inventory' },
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
        description: 'remove local hosts of projects whose folder is gone, instead of those of this project',
        type: 'flag',
      },
      canary: {
        flags: '--canary',
        description: 'remove the local hosts that a canary has kept, instead of those of `up`',
        type: 'flag',
      },
    },
  },
  build: {
    path: 'build',
    summary: 'make the artifact of a git ref, cached by commit',
    arguments: [
      { name: '<app>', description: 'application of pipeline.yml' },
      { name: '[ref]', description: "branch, tag or commit (default: the application's ref)" },
    ],
    options: { artifact },
    examples: ['pipeline build checkbox.io', 'pipeline build checkbox.io bfbf426'],
  },
  deploy: {
    path: 'deploy',
    summary: 'make a version live: health-gated, no request dropped',
    arguments: [
      { name: '<app>', description: 'application of pipeline.yml' },
      { name: '[ref]', description: "branch, tag or commit (default: the application's ref)" },
    ],
    options: {
      inventory,
      artifact,
      wait,
      reseed: {
        flags: '--reseed',
        description: 'throw the data of its databases away, after a backup, and fill them anew; asks first',
        type: 'flag',
      },
      yes: { flags: '--yes', description: 'do not ask', type: 'flag' },
    },
    examples: [
      'pipeline deploy checkbox.io -i inventory.ini',
      'pipeline deploy checkbox.io v1.2',
      'pipeline deploy iTrust --artifact iTrust2.war',
    ],
  },
  rollback: {
    path: 'rollback',
    summary: 'go back to an earlier release',
    arguments: [
      { name: '<app>', description: 'application of pipeline.yml' },
      { name: '[release]', description: 'release as `pipeline releases` shows it (default: the one before)' },
    ],
    options: { inventory, wait },
  },
  releases: {
    path: 'releases',
    summary: 'show what was deployed when, by whom, with what result',
    arguments: [{ name: '<app>', description: 'application of pipeline.yml' }],
    options: { inventory },
  },
  canary: {
    path: 'canary',
    summary: 'compare two git refs of a service under load, and judge',
    description:
      'Runs both refs as blue and green behind a proxy on three hosts, sends them the same ' +
      'traffic at the same time, and stops as soon as the evidence allows. Exit code 0 passed, 5 ' +
      'failed, 6 inconclusive.',
    arguments: [
      { name: '<baseline>', description: 'ref that is known to be good' },
      { name: '<candidate>', description: 'ref to be judged' },
    ],
    options: {
      app: {
        flags: '--app <app>',
        description: 'application of pipeline.yml (default: the one with a canary)',
        type: 'text',
      },
      duration: {
        flags: '--duration <time>',
        description: 'when to stop waiting for evidence, e.g. 2m',
        type: 'duration',
      },
      rate: { flags: '--rate <n>', description: 'requests a second, both versions together', type: 'number' },
      traffic: {
        flags: '--traffic <form>',
        description: 'both at the same time, or one after the other',
        type: 'text',
        choices: ['interleaved', 'sequential'],
      },
      split: {
        flags: '--split <percent>',
        description: 'per cent of the requests for the candidate',
        type: 'number',
      },
      judge: {
        flags: '--judge <name>',
        description: 'who decides',
        type: 'text',
        choices: ['sequential', 'kayenta'],
      },
      report: { flags: '--report <file>', description: 'also write the HTML report here', type: 'text' },
      markdown: {
        flags: '--markdown <file>',
        description: 'also write the report as Markdown here',
        type: 'text',
      },
      seed: { flags: '--seed <n>', description: 'seed of the random choices', type: 'number' },
      keep: { flags: '--keep', description: 'keep the three hosts for the next run', type: 'flag' },
      inventory: {
        flags: '-i, --inventory <file>',
        description: 'hosts in the groups proxy, blue, green instead of local ones',
        type: 'text',
      },
    },
    examples: [
      'pipeline canary master broken',
      'pipeline canary 05c965f broken --rate 200 --report canary.html',
    ],
  },
  judge: {
    path: 'judge',
    summary: 'judge recorded data, no hosts needed',
    description:
      "FILE is a canary report (the verdict is computed again) or the document that Kayenta's " +
      'remote judge takes. With --prometheus it is a Kayenta configuration, and the values are ' +
      'read from there. With --app there is no FILE: two releases are judged by what the monitor ' +
      'recorded of them.',
    arguments: [{ name: '[file]', description: 'JSON file, or - for standard input' }],
    options: {
      judge: {
        flags: '--judge <name>',
        description: 'who decides',
        type: 'text',
        choices: ['sequential', 'kayenta'],
      },
      report: { flags: '--report <file>', description: 'write the HTML report here', type: 'text' },
      markdown: {
        flags: '--markdown <file>',
        description: 'write the report as Markdown here',
        type: 'text',
      },
      prometheus: {
        flags: '--prometheus <url>',
        description: 'read the metrics from here, e.g. http://localhost:9090',
        type: 'text',
      },
      app: {
        flags: '--app <app>',
        description: 'judge two releases of this application, from the monitor',
        type: 'text',
      },
      inventory,
      baseline: {
        flags: '--baseline <name>',
        description: 'release, or scope of the baseline in the queries',
        type: 'text',
      },
      candidate: {
        flags: '--candidate <name>',
        description: 'release, or scope of the candidate',
        type: 'text',
      },
      last: {
        flags: '--last <time>',
        description: 'time up to now that is judged, e.g. 30m',
        type: 'duration',
      },
      start: {
        flags: '--start <time>',
        description: 'its beginning, e.g. 2026-11-25T14:00:00Z',
        type: 'text',
      },
      end: { flags: '--end <time>', description: 'its end', type: 'text' },
      step: {
        flags: '--step <time>',
        description: 'time between two values (default: 1m)',
        type: 'duration',
      },
      save: {
        flags: '--save <file>',
        description: 'write what was read here, to judge it again',
        type: 'text',
      },
    },
    examples: [
      'pipeline judge .pipeline/canary/2026-11-25T14-00-00Z/report.json',
      'pipeline judge canary.json --prometheus http://localhost:9090 --baseline v1 --candidate v2 --last 30m',
      'pipeline judge --app shop --baseline 20261125-101500-05c965f --candidate ' +
        '20261125-112000-0fb8c1c --last 2h',
    ],
  },
  monitorSetup: {
    path: 'monitor setup',
    summary: 'put Redis, hub and dashboard on the monitor, and an agent on every host',
    description:
      'Run it again as often as you like: the second run changes nothing. A new host joins by ' +
      '`prod up` and this.',
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
    summary: 'show when each host was heard last, and what alerts',
    options: { inventory },
  },
  monitorUsers: {
    path: 'monitor users',
    summary: 'list, add, renew or remove users of the dashboard',
    description:
      '`set NAME` makes a user, or gives a new password; it is shown once. Users only read, ' +
      'except with --admin.',
    arguments: [
      { name: '[verb]', description: 'list (the default), set, remove' },
      { name: '[name]', description: 'user' },
    ],
    options: {
      inventory,
      admin: { flags: '--admin', description: 'the user may also record events', type: 'flag' },
    },
    examples: ['pipeline monitor users', 'pipeline monitor users set ann'],
  },
  monitorTestAlert: {
    path: 'monitor test-alert',
    summary: 'send a test message to every place that alerts go to',
    options: { inventory },
  },
} as const satisfies Readonly<Record<string, CommandDefinition>>;

export type CommandName = keyof typeof definitions;
