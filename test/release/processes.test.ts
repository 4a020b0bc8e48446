/** Processes and jobs on the operator's side: from the definition to what each host is sent. */
import { describe, expect, it } from 'vitest';
import { appSchema } from '../../src/config/schema.ts';
import { quietContext } from '../../src/context.ts';
import { Failure } from '../../src/errors.ts';
import { jobsElsewhere } from '../../src/release/jobs/elsewhere.ts';
import { placedIn } from '../../src/release/order/order.ts';
import { processFiles } from '../../src/release/order/processes.ts';
import { decide } from '../../src/release/plan/decide.ts';
import { checkExclusive, jobPackages, processesIn } from '../../src/release/plan/processes.ts';
import { type Asked, facts, kept, recorded } from './support.ts';

const definition = appSchema.parse({
  source: 'x',
  hosts: ['web'],
  processes: {
    mailer: 'node mailer.js',
    worker: {
      run: 'node "my worker.js"',
      instances: 2,
      memory: '64M',
      exclusive: true,
      stop: { within: '2m' },
    },
  },
  jobs: {
    nightly: { run: 'node report.js', at: ['03:00', ' Mon   05:00 '], zone: 'Europe/Berlin', timeout: '10m' },
    sync: { run: 'echo "$HOME" >>log', every: '15m' },
  },
});
const besides = processesIn('app', definition, 'node');
const live = kept('two', 'live', { ...besides, directory: 'server' });

describe('a definition', () => {
  it('becomes part of the manifest, and nothing of it where there is none', () => {
    expect(besides.processes).toMatchObject([
      { name: 'mailer', run: 'node mailer.js', instances: 1, memory: null, when: 'before', exclusive: false },
      { name: 'worker', instances: 2, memory: 64 * 2 ** 20, stopSignal: 'SIGTERM', stopWithin: 120_000 },
    ]);
    expect(besides.jobs).toMatchObject([
      {
        calendar: ['03:00 Europe/Berlin', 'Mon 05:00 Europe/Berlin'],
        when: '03:00, Mon 05:00 Europe/Berlin',
      },
      { calendar: ['*-*-* *:00/15:00 UTC'], when: 'every 15 min UTC', timeout: 3_600_000 },
    ]);
    const none = appSchema.parse({ source: 'x', hosts: ['web'] });
    expect(processesIn('app', none, 'static')).toEqual({});
    expect([jobPackages(definition), jobPackages(none)]).toEqual([['tzdata'], []]);
  });

  it('is refused for files alone, and an exclusive process on several hosts', () => {
    expect(() => processesIn('app', definition, 'static')).toThrow(Failure);
    expect(() => checkExclusive('app', definition, [{ name: 'a' }])).not.toThrow();
    expect(() => checkExclusive('app', definition, [{ name: 'a' }, { name: 'b' }])).toThrow(
      'app: worker is exclusive, and app is on several hosts: a, b',
    );
  });
});

describe('units', () => {
  const { processes = [], jobs = [] } = placedIn(live.manifest, 0, 'green', true);

  it('of a process are those of the web one, without a port, and end as it says', () => {
    expect(processes.map(({ unit }) => unit)).toEqual([
      'pipeline-app@green-mailer.service',
      'pipeline-app@green-worker.service',
      'pipeline-app@green-worker-2.service',
    ]);
    const text = processes[2]?.unitText ?? '';
    for (const line of [
      'ExecStart=/srv/app/green/processes/worker',
      'WorkingDirectory=/srv/app/green/app/server',
      'EnvironmentFile=/srv/app/green/env',
      'User=app-app',
      'KillSignal=SIGTERM',
      'TimeoutStopSec=120000ms',
      'MemoryMax=67108864',
      'ProtectSystem=strict',
      'Restart=always',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).not.toContain('PORT');
  });

  it('of a job go through the link to what serves, on the first host alone', () => {
    expect(jobs.map(({ timer }) => timer)).toEqual([
      'pipeline-app@job-nightly.timer',
      'pipeline-app@job-sync.timer',
    ]);
    expect(jobs[0]?.timerText).toContain(
      'OnCalendar=03:00 Europe/Berlin\nOnCalendar=Mon 05:00 Europe/Berlin\n',
    );
    expect(jobs[0]?.unitText).toContain('ExecStart=/srv/app/live/jobs/nightly\n');
    expect(jobs[0]?.unitText).toContain('TimeoutStartSec=600000ms\n');
    expect(placedIn(live.manifest, 0, 'green', false).jobs).toEqual([]);
  });

  it('find their scripts in the release; a job stays in its own', () => {
    const files = Object.fromEntries(processFiles(live.manifest).map(({ path, text }) => [path, text]));
    expect(Object.keys(files)).toEqual(['processes/mailer', 'processes/worker', 'jobs/nightly', 'jobs/sync']);
    expect(files['processes/mailer']).toBe('#!/bin/sh\nexec node mailer.js\n');
    expect(files['jobs/nightly']).toContain('cd /srv/app/releases/two/app/server || exit\n');
    expect(files['jobs/nightly']).toContain('] && PATH=/srv/app/releases/two/node/bin:');
    expect(files['jobs/nightly']).toMatch(/\nexec node report\.js\n$/);
    expect(files['jobs/sync']).toMatch(/\necho "\$HOME" >>log\n$/);
  });
});

describe('what a host lacks of processes and jobs', () => {
  const units = ['blue', 'blue-mailer', 'blue-worker', 'blue-worker-2'].map(
    (name) => `pipeline-app@${name}.service`,
  );
  const whole = facts({
    colours: { blue: 'two' },
    active: new Set(units),
    timers: new Set(['pipeline-app@job-nightly.timer', 'pipeline-app@job-sync.timer']),
    releases: [live],
    site: 'site',
  });
  const decided = (found: typeof whole, first = true) => decide(found, () => true, 'site', first).kind;

  it('is finished, without another start of what serves', () => {
    expect(decided(whole)).toBe('nothing');
    expect(decided({ ...whole, active: new Set(units.slice(0, 3)) })).toBe('finish');
    expect(decided({ ...whole, timers: new Set() })).toBe('finish');
    expect(decided({ ...whole, timers: new Set([...whole.timers, 'pipeline-app@job-old.timer']) })).toBe(
      'finish',
    );
  });

  it('depends on whether it is the first', () => {
    expect(decided(whole, false)).toBe('finish');
    expect(decided({ ...whole, timers: new Set() }, false)).toBe('nothing');
  });

  it('counts a process of the other colour as left over', () => {
    const left = new Set([...units, 'pipeline-app@green-worker.service']);
    expect(decided({ ...whole, active: left })).toBe('finish');
    const job = new Set([...units, 'pipeline-app@job-green-worker.service']);
    expect(decided({ ...whole, active: job })).toBe('nothing');
  });
});

describe('hosts that ran the jobs before', () => {
  const plannedOn = (name: string, timers: readonly string[]) => ({
    host: { name, connection: recorded(name, [], () => new Error('not asked')) },
    facts: facts({ timers: new Set(timers) }),
  });

  it('are further ones with timers, and others that have them; one that is away is told of', async () => {
    const asked: Asked[] = [];
    const told: string[] = [];
    const other = (name: string, answer: { exitCode: number } | Error) => ({
      name,
      connection: recorded(name, asked, () => answer),
    });
    const request = {
      app: 'app',
      config: { apps: {} } as never,
      hosts: [],
      others: [
        other('old', { exitCode: 0 }),
        other('db', { exitCode: 1 }),
        other('gone', new Error('no route')),
      ],
    };
    const context = quietContext({
      progress: ({ host, stage, state, detail }) => told.push(`${host} ${stage} ${state}: ${detail}`),
    });
    const planned = [
      plannedOn('web-1', ['x.timer']),
      plannedOn('web-2', ['x.timer']),
      plannedOn('web-3', []),
    ];
    const found = await jobsElsewhere(request, planned, context);
    expect(found.map(({ name }) => name)).toEqual(['web-2', 'old']);
    expect(asked.map(({ host }) => host)).toEqual(['old', 'db', 'gone']);
    expect(told).toEqual([
      'gone jobs skipped: cannot be reached, so jobs of app would go on there: no route',
    ]);
  });
});
