/** Commands about releases of applications. */
import type { CommandDefinition } from '../command.ts';
import { artifact, inventory, wait } from './shared.ts';

export const releases = {
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
  releases: {
    path: 'releases',
    summary: 'show what was deployed when, by whom, with what result',
    arguments: [{ name: '<app>', description: 'application in pipeline.yml' }],
    options: { inventory },
  },
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
} as const satisfies Readonly<Record<string, CommandDefinition>>;
