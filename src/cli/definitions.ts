/** Every command, as data. Handlers are in `commands/`: one file each, named like its path. */
import type { ArgumentDefinition, CommandDefinition, OptionDefinition } from './command.ts';
import { jobDefinitions } from './job-definitions.ts';

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
  description: 'wait while somebody else holds the lock, instead of giving up',
  type: 'flag',
} as const satisfies OptionDefinition;
const artifact = {
  flags: '--artifact <file>',
  description: 'use this WAR, program or .tar.gz instead of building from git',
  type: 'text',
} as const satisfies OptionDefinition;
const yes = {
  flags: '-y, --yes',
  description: 'do not ask',
  type: 'flag',
} as const satisfies OptionDefinition;

const rolloutOf = [
  { name: '<app>', description: 'application in pipeline.yml' },
] as const satisfies readonly ArgumentDefinition[];

const backupOf = [
  { name: '[app]', description: 'application in pipeline.yml (default: all, with hosts and monitor)' },
] as const satisfies readonly ArgumentDefinition[];

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
      'Says first what is lost, in minutes, and asks. What remains of the host is removed. Run it again where ' +
      'it was interrupted.',
    arguments: [{ name: '<host>', description: 'host in pipeline.yml' }],
    options: { provider, yes, wait },
    examples: ['pipeline prod replace web'],
  },
  build: {
    path: 'build',
    summary: 'build the artifact of a git ref, cached by commit',
    arguments: [
      { name: '<app>', description: 'application in pipeline.yml' },
      { name: '[ref]', description: "branch, tag or commit (default: the application's ref)" },
    ],
    options: { artifact },
    examples: ['pipeline build checkbox.io', 'pipeline build checkbox.io bfbf426'],
  },
  deploy: {
    path: 'deploy',
    summary: 'make a version live: health-gated, no request dropped',
    arguments: [
      { name: '<app>', description: 'application in pipeline.yml' },
      { name: '[ref]', description: "branch, tag or commit (default: the application's ref)" },
    ],
    options: {
      inventory,
      artifact,
      wait,
      canary: {
        flags: '--canary [steps]',
        description:
          'let a few visitors in first, and decide by what they meet; steps: percentages, e.g. 5,50',
        type: 'text',
      },
      reseed: {
        flags: '--reseed',
        description: 'back up its databases, discard their data and seed them again; asks first',
        type: 'flag',
      },
      yes: { flags: '--yes', description: 'do not ask', type: 'flag' },
    },
    examples: [
      'pipeline deploy checkbox.io -i inventory.ini',
      'pipeline deploy checkbox.io v1.2',
      'pipeline deploy iTrust --artifact iTrust2.war',
      'pipeline deploy checkbox.io v1.3 --canary',
    ],
  },
  rollback: {
    path: 'rollback',
    summary: 'go back to an earlier release',
    arguments: [
      { name: '<app>', description: 'application in pipeline.yml' },
      {
        name: '[release]',
        description: 'release, as `pipeline releases` lists it (default: the previous one)',
      },
    ],
    options: { inventory, wait },
  },
  restart: {
    path: 'restart',
    summary: 'start the live release anew, without dropping a request',
    description:
      'The same release starts in the other colour, is checked, and takes over; the old processes finish.',
    arguments: [{ name: '<app>', description: 'application in pipeline.yml' }],
    options: {
      host: {
        flags: '--host <name>',
        description: 'only this host of the application (default: one after the other)',
        type: 'text',
      },
      inventory,
      wait,
    },
  },
  maintenanceOn: {
    path: 'maintenance on',
    summary: 'answer every visitor with 503 and a page, until `maintenance off`',
    description:
      'Deploys, rollbacks and reboots do not end it. The service runs on, and hosts check it as ever.',
    arguments: [{ name: '<app>', description: 'application in pipeline.yml' }],
    options: {
      for: {
        flags: '--for <duration>',
        description: 'how long it will take, for visitors (Retry-After); it does not end by itself',
        type: 'duration',
      },
      inventory,
      wait,
    },
    examples: ['pipeline maintenance on shop --for 30m'],
  },
  maintenanceOff: {
    path: 'maintenance off',
    summary: 'let visitors in again',
    arguments: [{ name: '<app>', description: 'application in pipeline.yml' }],
    options: { inventory, wait },
  },
  run: {
    path: 'run',
    summary: 'run a command in the live release, with its environment, as its user',
    description:
      "A terminal where there is one here, else a pipe. The exit code is the command's. One word is a line " +
      'of shell; no command opens a shell. The audit log on the host has the command: put no secret in it.',
    arguments: [
      { name: '<app>', description: 'application in pipeline.yml' },
      { name: '[command...]', description: 'command to run, after --' },
    ],
    options: {
      host: {
        flags: '--host <name>',
        description: 'host that runs it (default: the first of the application)',
        type: 'text',
      },
      release: {
        flags: '--release <release>',
        description: 'release on the host, or its commit (default: the live one)',
        type: 'text',
      },
      inventory,
    },
    examples: [
      'pipeline run shop -- node console.js',
      'pipeline run shop -- npm run migrate',
      "pipeline run shop -- 'node export.js | gzip' >export.gz",
    ],
  },
  rolloutStatus: {
    path: 'rollout status',
    summary: 'show the current rollout, or how the last one ended',
    arguments: rolloutOf,
    options: {
      inventory,
      save: {
        flags: '--save <file>',
        description: 'save it with all of its evidence here, for pipeline judge',
        type: 'text',
      },
    },
  },
  rolloutWatch: {
    path: 'rollout watch',
    summary: 'show it live until it ends; Ctrl-C leaves the view, not the rollout',
    arguments: rolloutOf,
    options: { inventory },
  },
  rolloutPause: {
    path: 'rollout pause',
    summary: 'take no further step; harm still ends the rollout',
    arguments: rolloutOf,
    options: { inventory },
  },
  rolloutResume: {
    path: 'rollout resume',
    summary: 'go on after a pause, or when held',
    arguments: rolloutOf,
    options: { inventory },
  },
  rolloutPromote: {
    path: 'rollout promote',
    summary: 'give everybody the new version now',
    arguments: rolloutOf,
    options: { inventory },
  },
  rolloutAbort: {
    path: 'rollout abort',
    summary: 'give everybody the old version back now',
    arguments: rolloutOf,
    options: { inventory },
  },
  releases: {
    path: 'releases',
    summary: 'show what was deployed when, by whom, with what result',
    arguments: [{ name: '<app>', description: 'application in pipeline.yml' }],
    options: { inventory },
  },
  ...jobDefinitions,
  logs: {
    path: 'logs',
    summary: 'show what an application or a host logs, of all hosts, in one order',
    description:
      'Journals of all instances, processes and jobs, read over SSH: no monitor is needed. Shows the ' +
      'latest 200 lines; with --since everything from there on. With a terminal, in a pager ($PAGER).',
    arguments: [{ name: '<subject>', description: 'application in pipeline.yml, or host in the inventory' }],
    options: {
      inventory,
      follow: { flags: '-f, --follow', description: 'go on with what is logged from now on', type: 'flag' },
      since: {
        flags: '--since <time>',
        description: 'from then on: 90s, 15m, 1h, 2d ago, 14:05, yesterday, "2026-11-29 14:05"',
        type: 'text',
      },
      until: { flags: '--until <time>', description: 'up to then', type: 'text' },
      lines: { flags: '-n, --lines <count>', description: 'the latest lines alone', type: 'number' },
      grep: {
        flags: '--grep <regex>',
        description: 'lines that match; without capitals in it, capitals do not matter',
        type: 'text',
      },
      level: {
        flags: '--level <level>',
        description: 'that bad or worse',
        type: 'text',
        choices: ['critical', 'error', 'warning', 'info', 'debug'],
      },
      release: {
        flags: '--release <release>',
        description: 'of one release, as `pipeline releases` lists it, or its commit',
        type: 'text',
      },
      colour: {
        flags: '--colour <colour>',
        description: 'of one colour',
        type: 'text',
        choices: ['blue', 'green'],
      },
      host: { flags: '--host <host>', description: 'of one of its hosts', type: 'text' },
      requests: { flags: '--requests', description: 'also the requests that nginx answered', type: 'flag' },
      status: {
        flags: '--status <status>',
        description: 'requests alone, with this status: 5xx, 404, "4xx,5xx", 500-504',
        type: 'text',
      },
      unit: { flags: '--unit <unit>', description: 'one unit of a host, e.g. nginx', type: 'text' },
    },
    examples: [
      'pipeline logs shop -f',
      'pipeline logs shop --since 1h --level error',
      'pipeline logs shop --since 24h --grep "timeout|refused"',
      'pipeline logs shop --since 1h --status 5xx',
      'pipeline logs web-1 --unit nginx -f',
    ],
  },
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
      'KEY is a database in pipeline.yml, or files: what the application writes to its state folder. WHEN is ' +
      'a time (2h, 2026-11-28, 2026-11-28T03:00 in UTC), of which the last backup before counts, or one of ' +
      '`backup list`. Run it again where it was interrupted.',
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
  canary: {
    path: 'canary',
    summary: 'compare two git refs of a service under load, and judge',
    description:
      'Runs both refs behind a proxy on three hosts, sends them the same traffic at the same time, ' +
      'and stops as soon as the evidence allows. Exit code 0 passed, 5 failed, 6 inconclusive.',
    arguments: [
      { name: '<baseline>', description: 'ref known to be good' },
      { name: '<candidate>', description: 'ref to judge' },
    ],
    options: {
      app: {
        flags: '--app <app>',
        description: 'application in pipeline.yml (default: the one with a canary)',
        type: 'text',
      },
      duration: {
        flags: '--duration <time>',
        description: 'when to stop waiting for evidence, e.g. 2m',
        type: 'duration',
      },
      rate: {
        flags: '--rate <n>',
        description: "requests a second, to both versions together; of a replay also x2: twice production's",
        type: 'text',
      },
      replay: {
        flags: '--replay <source>',
        description:
          "load from production's last 1h (any time), or a file of `pipeline logs --requests --json`: its " +
          'GET and HEAD requests, at their distances',
        type: 'text',
      },
      traffic: {
        flags: '--traffic <form>',
        description: 'to both versions at once, or to one after the other',
        type: 'text',
        choices: ['interleaved', 'sequential'],
      },
      split: {
        flags: '--split <percent>',
        description: 'percentage of requests for the candidate',
        type: 'number',
      },
      judge: {
        flags: '--judge <name>',
        description: 'which judge decides',
        type: 'text',
        choices: ['sequential', 'kayenta'],
      },
      report: { flags: '--report <file>', description: 'also write the HTML report here', type: 'text' },
      markdown: {
        flags: '--markdown <file>',
        description: 'also write the report as Markdown here',
        type: 'text',
      },
      seed: { flags: '--seed <n>', description: 'seed of random choices', type: 'number' },
      keep: { flags: '--keep', description: 'keep the three hosts for the next run', type: 'flag' },
      inventory: {
        flags: '-i, --inventory <file>',
        description: 'use hosts in the groups proxy, blue and green instead of local ones',
        type: 'text',
      },
    },
    examples: [
      'pipeline canary master broken',
      'pipeline canary 05c965f broken --rate 200 --report canary.html',
      'pipeline canary v6 v7 --app shop --replay 1h --rate x2',
    ],
  },
  judge: {
    path: 'judge',
    summary: 'judge recorded data, no hosts needed',
    description:
      'FILE is a report of a canary or a rollout, whose verdict is computed again, or a document for ' +
      "Kayenta's remote judge. With --prometheus it is a Kayenta configuration, and values come from " +
      'there. With --app there is no FILE: two releases are judged by what the monitor recorded of them.',
    arguments: [{ name: '[file]', description: 'JSON file, or - for standard input' }],
    options: {
      judge: {
        flags: '--judge <name>',
        description: 'which judge decides',
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
        description: 'judge two releases of this application by what the monitor recorded',
        type: 'text',
      },
      inventory,
      baseline: {
        flags: '--baseline <name>',
        description: 'baseline release, or its scope in queries',
        type: 'text',
      },
      candidate: {
        flags: '--candidate <name>',
        description: 'candidate release, or its scope in queries',
        type: 'text',
      },
      last: {
        flags: '--last <time>',
        description: 'judge this long up to now, e.g. 30m',
        type: 'duration',
      },
      start: {
        flags: '--start <time>',
        description: 'judge from then on, e.g. 2026-11-25T14:00:00Z',
        type: 'text',
      },
      end: { flags: '--end <time>', description: 'judge up to then', type: 'text' },
      step: {
        flags: '--step <time>',
        description: 'time from one value to the next (default: 1m)',
        type: 'duration',
      },
      save: {
        flags: '--save <file>',
        description: 'save the values here, to judge them again',
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
  judgeServe: {
    path: 'judge serve',
    summary: "serve Kayenta's HTTP API, for Argo Rollouts, Spinnaker and scripts",
    description:
      "Judges by Kayenta's judge with values from Prometheus, until Ctrl-C. What it was asked is kept in " +
      '.pipeline/judge, so that a restart loses nothing.',
    options: {
      prometheus: {
        flags: '--prometheus <url>',
        description: 'read the metrics from here, e.g. http://localhost:9090',
        type: 'text',
      },
      configs: {
        flags: '--configs <folder>',
        description: 'canary configurations, one JSON file each (default: requests bring their own)',
        type: 'text',
      },
      listen: {
        flags: '--listen <address>',
        description: 'address and port (default: 127.0.0.1:8090)',
        type: 'text',
      },
    },
    examples: ['pipeline judge serve --prometheus http://localhost:9090 --configs canaries'],
  },
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
  monitorTestAlert: {
    path: 'monitor test-alert',
    summary: 'send a test message wherever alerts go',
    options: { inventory },
  },
} as const satisfies Readonly<Record<string, CommandDefinition>>;

export type CommandName = keyof typeof definitions;
