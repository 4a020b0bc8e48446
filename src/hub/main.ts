/** The hub: what runs on the monitor host. Bundled into one file, `hub.js`. */

import { connect } from 'node:net';
import { deliver, nameOf, reason, type Target } from '../alerts/deliver.ts';
import type { AlertState } from '../alerts/types.ts';
import { alertsSchema } from '../config/schema.ts';
import { asFailure, Failure } from '../errors.ts';
import { listUsers, removeUser, setUser } from './access/users.ts';
import { releaseSeries } from './charts/compare.ts';
import { HUB_CONFIG, type HubConfig, readHubConfig } from './config.ts';
import { canaryStatus, recordRun } from './events/canaries.ts';
import { addSilence, endSilence, listSilences } from './events/silences.ts';
import { giveBackTroubles, listTaken, takeTroubles } from './events/taken.ts';
import { runHub } from './hub.ts';
import { previewRules } from './preview.ts';
import { goingOn, tellIncident } from './status/people.ts';
import { ALERTS, LEADER, POSITIONS, SERVED } from './store/keys.ts';
import { type Redis, redisClient } from './store/redis.ts';

/** A week of minutes of a large fleet takes its time. */
const PREVIEW_MS = 10 * 60_000;
const USAGE = `Usage: hub.js COMMAND, with the configuration in ${HUB_CONFIG} or in $PIPELINE_HUB_CONFIG
  run                              take samples in and answer
  check                            read the configuration and say what is wrong with it
  users list | set NAME [admin|viewer] | remove NAME
  status                           when each host was heard last, the alerts, and whether a hub works
  first                            the first user where there is none yet, and the status
  canary                           keep what standard input tells of a canary run (JSON)
  compare APP RELEASE RELEASE FROM TO STEP
                                   two releases over a time (ms since 1970), a value a step (ms)
  silence SUBJECT MS BY WHY        tell nobody of it for so many milliseconds
  silences                         those that go on
  unsilence SUBJECT                tell of it again
  incident APP TEXT                say something of the incident that goes on, or open one; no APP: all
  incident-end APP TEXT            the same, and close it
  incidents                        those that go on
  preview MS                       what the rules on standard input (JSON, as alerts: own:) would have told
                                   in so many milliseconds until now
  acknowledge SUBJECT BY           who takes care of what fires about it: it is not told again
  unacknowledge SUBJECT            nobody does any more
  test-alert                       send a test message everywhere
Answers of all but run are one JSON document.`;

const config = () => readHubConfig(process.env.PIPELINE_HUB_CONFIG ?? HUB_CONFIG);

/** What a command does with its words; the answer is printed. */
type Command = (...words: readonly string[]) => Promise<unknown>;

/** A command that needs no more than the store. */
const stored =
  (work: (redis: Redis, ...words: readonly string[]) => Promise<unknown>): Command =>
  (...words) =>
    withRedis(config(), (redis) => work(redis, ...words));

const COMMANDS: Readonly<Record<string, Command>> = {
  async run() {
    const stop = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
    await runHub(config(), stop.signal, (line) => process.stderr.write(`${line}\n`));
  },
  async check() {
    config();
    return { ok: true };
  },
  users: stored((redis, ...words) => users(redis, words)),
  status: stored((redis) => status(redis, config())),
  first: stored(async (redis) => ({
    ...(await status(redis, config())),
    ...((await listUsers(redis)).length > 0
      ? {}
      : { user: 'admin', password: await setUser(redis, 'admin', 'admin') }),
  })),
  async canary() {
    const run = canaryStatus.parse(JSON.parse(await standardInput()));
    await withRedis(config(), (redis) => recordRun(redis, run, Date.now()));
    return { recorded: true };
  },
  compare: stored((redis, ...words) => compare(redis, config(), words)),
  silence: stored((redis, subject = '', ms = '', by = '', why = '') => {
    const from = Date.now();
    return addSilence(redis, { subject, from, until: from + Number(ms), by, why });
  }),
  silences: stored(async (redis) => ({ silences: await listSilences(redis, Date.now()) })),
  unsilence: stored(async (redis, subject = '') => ({ ended: await endSilence(redis, subject) })),
  acknowledge: stored(async (redis, subject = '', by = '') => ({
    alerts: await takeTroubles(redis, subject, { by, at: Date.now() }),
  })),
  unacknowledge: stored(async (redis, subject = '') => ({ alerts: await giveBackTroubles(redis, subject) })),
  incident: (app = '', text = '') => incident({ app, text, isEnd: false, now: Date.now() }),
  'incident-end': (app = '', text = '') => incident({ app, text, isEnd: true, now: Date.now() }),
  incidents: stored(async (redis) => ({ incidents: await goingOn(redis, Date.now()) })),
  async preview(ms) {
    const rules = alertsSchema.shape.own.parse(JSON.parse(await standardInput()));
    const { hosts } = config();
    return withRedis(
      config(),
      (redis) => previewRules(redis, hosts, rules, Number(ms), Date.now()),
      PREVIEW_MS,
    );
  },
  async 'test-alert'() {
    const { targets, dashboard } = config();
    const failures = await Promise.all(targets.map((target) => testMessage(target, dashboard)));
    return { targets: targets.length, failures: failures.filter((failure) => failure !== undefined) };
  },
};

async function main([command = '', ...words]: readonly string[]): Promise<unknown> {
  const work = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  if (work !== undefined) return work(...words);
  const said = command === '' ? 'No command was given.' : `There is no command "${command}".`;
  throw new Failure('usage', said, { next: USAGE });
}

function incident(change: Parameters<typeof tellIncident>[1]): Promise<unknown> {
  if (config().statusPage === undefined)
    throw new Failure('usage', 'There is no status page.', {
      next: 'Write monitor: { status_page: { title: … } } in pipeline.yml, then: pipeline monitor setup',
    });
  return withRedis(config(), (redis) => tellIncident(redis, change));
}

/** @returns why the place did not take it */
async function testMessage(target: Target, dashboard: string | undefined): Promise<string | undefined> {
  const now = Date.now();
  const alert = { key: 'test', rule: 'check', severity: 'warning', subject: 'test', since: now } as const;
  const notice = { state: 'test', alert: { ...alert, message: 'this is a test' }, at: now } as const;
  return deliver(target, [notice], dashboard).then(
    () => undefined,
    (error: unknown) => `${nameOf(target)} did not take the message: ${reason(error)}`,
  );
}

async function status(redis: Redis, config: HubConfig) {
  const [positions, alerts, leader, answers] = await Promise.all([
    redis.hGetAll(POSITIONS),
    redis.hGetAll(ALERTS),
    redis.get(LEADER),
    takesConnections(config),
  ]);
  const hosts = Object.entries(positions).map(([host, text]) => [host, JSON.parse(text) as unknown]);
  const states = Object.values(alerts).map((text) => JSON.parse(text) as AlertState);
  const taken = await listTaken(redis, states);
  // A hub that ends, ends its lease within seconds.
  const working = leader !== null;
  return { now: Date.now(), working, answers, hosts: Object.fromEntries(hosts), alerts: states, taken };
}

/** Whether the dashboard's port is open: a hub that has just been started takes a moment. */
function takesConnections({ listen }: HubConfig): Promise<boolean> {
  const { address: host = 'localhost', port, tls } = listen;
  return new Promise((resolve) => {
    const socket = connect({ host, port: tls?.port ?? port, timeout: 2_000 });
    const end = (open: boolean) => () => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

/** Two releases of an application over a time, a value a step. */
async function compare(redis: Redis, { hosts, intervalSeconds }: HubConfig, args: readonly string[]) {
  const [app = '', baseline = '', candidate = '', ...numbers] = args;
  const [from = 0, to = 0, step = 0] = numbers.map(Number);
  if (app === '' || candidate === '' || !(from < to) || !(step >= 1000))
    throw new Failure(
      'usage',
      'compare needs an application, two releases, two times and a step of 1000 ms or more.',
      {
        next: USAGE,
      },
    );
  const served = new Set(await redis.sMembers(SERVED));
  const hostsOf = (name: string) => hosts.filter((host) => served.has(`${name} ${host}`));
  const source = { redis, hosts, hostsOf, intervalSeconds };
  const series = (release: string) => releaseSeries(source, app, release, { from, to }, step, Date.now());
  return { baseline: await series(baseline), candidate: await series(candidate) };
}

async function users(redis: Redis, [verb, name = '', role = 'viewer']: readonly string[]): Promise<unknown> {
  switch (verb) {
    case 'list':
      return { users: await listUsers(redis) };
    case 'set':
      if (role !== 'admin' && role !== 'viewer')
        throw new Failure('usage', `There is no role "${role}".`, { next: USAGE });
      return { user: name, role, password: await setUser(redis, name, role) };
    case 'remove':
      return { removed: await removeUser(redis, name) };
    default:
      throw new Failure('usage', 'users needs list, set or remove.', { next: USAGE });
  }
}

async function withRedis<T>(
  config: HubConfig,
  work: (redis: Redis) => Promise<T>,
  timeoutMs = 10_000,
): Promise<T> {
  let last: Error | undefined;
  const redis = redisClient(config.redis, (error) => {
    last = error;
  });
  const timer = setTimeout(() => redis.destroy(), timeoutMs);
  try {
    await redis.connect();
    return await work(redis);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('host', `Redis does not answer: ${last?.message ?? (cause as Error).message}`, {
      cause,
      next: 'journalctl -u pipeline-redis says why.',
    });
  } finally {
    clearTimeout(timer);
    if (redis.isOpen) redis.destroy();
  }
}

async function standardInput(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

main(process.argv.slice(2)).then(
  (answer) => {
    if (answer !== undefined) process.stdout.write(`${JSON.stringify(answer)}\n`);
    process.exit(0);
  },
  (thrown: unknown) => {
    const failure = asFailure(thrown);
    process.stderr.write(`${[failure.message, failure.next].filter(Boolean).join('\n')}\n`);
    process.exit(failure.exitCode);
  },
);
