/** Commands that judge. */
import type { CommandDefinition } from '../command.ts';
import { inventory } from './shared.ts';

export const verdicts = {
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
      data: {
        flags: '--data <source>',
        description:
          "what both versions' databases hold: backup, the newest that production keeps, or a file " +
          '(default: the seed)',
        type: 'text',
      },
      fault: {
        flags: '--fault <faults>',
        description:
          'done to both versions at once, with commas: kill:process@20s, kill:database, ' +
          'slow:database:100ms, cpu:50%@30s+15s, disk:full, network:loss:2%',
        type: 'text',
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
      "Kayenta's remote judge. With --prometheus it is a Kayenta configuration, or names counters for " +
      'the sequential judge, and values come from there. With --app there is no FILE: two releases are ' +
      'judged by what the monitor recorded of them.',
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
} as const satisfies Readonly<Record<string, CommandDefinition>>;
