/**
 * What the hub costs: Redis and hub on one core, 500 simulated hosts at a sample every 5 s, 20 routes in
 * each.
 *
 *   npm run build && node bench/run.mjs hub [--hosts 500] [--seconds 120] [--core N] [--profile]
 *
 * Goals (issue 6): nothing lost, the hub under half of the core; the query of one chart over 7 days under
 * 100 ms; what a browser loads for the
 * live page under 150 KB compressed.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { inbox, windows as windowsKey } from '../../src/hub/store/keys.ts';
import { type Redis, redisClient } from '../../src/hub/store/redis.ts';
import { entriesOf, readWindows } from '../../src/hub/store/windows.ts';
import { seededUniform } from '../../src/judge/index.ts';
import type { Window } from '../../src/metrics/catalogue.ts';
import { mergeWindows } from '../../src/metrics/merge.ts';
import { TIERS } from '../../src/metrics/tiers.ts';
import {
  appOf,
  HOSTS_OF_APP,
  hostName,
  INTERVAL_SECONDS,
  REQUESTS_OF_SAMPLE,
  sampleMaker,
  sampleWindow,
} from './fleet.ts';
import { Measured } from './measure.ts';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '120' },
    core: { type: 'string', default: String(cpus().length - 1) },
    profile: { type: 'boolean', default: false },
  },
});
const hosts = Number(values.hosts);
const seconds = Number(values.seconds);
const program = resolve(import.meta.dirname, '../../dist/hub.js');
const directory = mkdtempSync(join(tmpdir(), 'pipeline-bench-hub-'));
const socket = join(directory, 'redis.sock');
const port = 20_000 + (process.pid % 10_000);
const base = `http://127.0.0.1:${port}`;
const children: ChildProcess[] = [];
// Also on Ctrl-C, which passes over every `finally`.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
const WARM_UP_SECONDS = 15;

function onCore(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcess {
  const child = spawn('taskset', ['-c', values.core, command, ...args], {
    stdio: ['ignore', 'ignore', openSync(join(directory, 'log'), 'a')],
    env,
    cwd: directory,
  });
  children.push(child);
  return child;
}

async function main(): Promise<void> {
  for (const [needed, how] of [
    ['redis-server', 'apt-get install --yes redis-server'],
    ['taskset', 'apt-get install --yes util-linux'],
  ] as const)
    if (spawnSync(needed, ['--version']).status !== 0) throw new Error(`${needed} is missing: ${how}`);
  if (!existsSync(program)) throw new Error('dist/hub.js is not built: npm run build');

  const options = ['--port', '0', '--unixsocket', socket, '--dir', directory, '--appendonly', 'yes'];
  const server = onCore('redis-server', [...options, '--appendfsync', 'everysec', '--save', '']);
  const redis = redisClient({ socket }, () => {});
  await sleep(500);
  await redis.connect();
  await pastWeek(redis);

  const config = join(directory, 'hub.json');
  const names = Array.from({ length: hosts }, (_, i) => hostName(i));
  const document = {
    hosts: names,
    intervalSeconds: INTERVAL_SECONDS,
    redis: { socket },
    listen: { address: '127.0.0.1', port },
    rules: {},
  };
  writeFileSync(config, JSON.stringify(document), { mode: 0o600 });
  const env = { ...process.env, PIPELINE_HUB_CONFIG: config };
  const flags = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${process.cwd()}`] : [];
  const hub = onCore(process.execPath, [...flags, program, 'run'], env);
  const authorization = signIn(env);

  const measured = { hub: new Measured(hub.pid ?? 0), redis: new Measured(server.pid ?? 0) };
  const sent = await send(redis, measured);
  const lost = await settle(redis, names, sent);
  const memory = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);

  console.log(
    `${hosts} hosts, a sample every ${INTERVAL_SECONDS} s with 20 routes, ${seconds} s, ` +
      `on core ${values.core}`,
  );
  say('samples', `${sent} sent, ${lost.samples} lost`, lost.samples === 0, 'none lost');
  say(
    'requests in them',
    `${sent * REQUESTS_OF_SAMPLE}, ${lost.requests} lost`,
    lost.requests === 0,
    'none lost',
  );
  const share = measured.hub.share();
  say('hub', `${percent(share)} of the core, ${mib(measured.hub.rss())}`, share < 0.5, 'under 50 %');
  say('Redis', `${percent(measured.redis.share())} of the core, ${mib(memory)} of data`);
  say('raw sample in Redis', `${Math.round(lost.bytes)} bytes`);
  await queries(authorization, measured.hub);
  await page(authorization);
  if (values.profile) hub.kill('SIGTERM');
  if (values.profile) await sleep(3000);
  redis.destroy();
}

/** A week of ten minutes of the hosts of one application, as the hub would have written it. */
async function pastWeek(redis: Redis): Promise<void> {
  const tier = TIERS[2] as (typeof TIERS)[number];
  const random = seededUniform(7);
  const end = Math.floor(Date.now() / 600_000) * 600_000;
  const forms = Array.from({ length: 8 }, () =>
    mergeWindows(Array.from({ length: 120 }, () => sampleWindow(0, 0, random))),
  );
  for (let i = 0; i < Math.min(HOSTS_OF_APP, hosts); i++) {
    let multi = redis.multi();
    for (let step = 1008; step > 0; step--) {
      const at = end - step * 600_000;
      const form = forms[step % forms.length] as Window;
      for (const entry of entriesOf(tier, { ...form, host: hostName(i), at }))
        multi.xAdd(entry.key, `${entry.at}-0`, entry.fields);
      if (step % 100 !== 0) continue;
      await multi.exec();
      multi = redis.multi();
    }
    await multi.exec();
  }
}

function signIn(env: NodeJS.ProcessEnv): string {
  const made = spawnSync(process.execPath, [program, 'users', 'set', 'bench'], { env, encoding: 'utf8' });
  const { password } = JSON.parse(made.stdout) as { password: string };
  return `Basic ${Buffer.from(`bench:${password}`).toString('base64')}`;
}

/** Every host sends at its own moment of the interval. @returns samples sent */
async function send(
  redis: Redis,
  measured: { readonly hub: Measured; readonly redis: Measured },
): Promise<number> {
  const sample = sampleMaker(hosts, 16, seededUniform(1));
  const begun = performance.now();
  const total = (WARM_UP_SECONDS + seconds) * 1000;
  let sent = 0;
  let warm = false;
  for (;;) {
    const elapsed = performance.now() - begun;
    if (!warm && elapsed > WARM_UP_SECONDS * 1000) {
      warm = true;
      measured.hub.begin();
      measured.redis.begin();
    }
    if (elapsed > total) break;
    const due = Math.floor((elapsed / (INTERVAL_SECONDS * 1000)) * hosts);
    const batch: Promise<unknown>[] = [];
    for (; sent < due; sent++) {
      const [host, sequence] = [sent % hosts, Math.floor(sent / hosts)];
      batch.push(redis.xAdd(inbox(hostName(host)), '*', sample(host, sequence, Date.now())));
    }
    await Promise.all(batch);
    await sleep(20);
  }
  measured.hub.end();
  measured.redis.end();
  return sent;
}

/** Waits until the inboxes are empty, and counts what was stored. */
async function settle(redis: Redis, names: readonly string[], sent: number) {
  const raw = TIERS[0] as (typeof TIERS)[number];
  for (let i = 0; i < 300; i++) {
    const waiting = await Promise.all(names.map((name) => redis.xLen(inbox(name))));
    if (waiting.every((count) => count === 0)) break;
    await sleep(100);
  }
  const stored = await Promise.all(names.map((name) => redis.xLen(windowsKey('raw', 'host', name))));
  let requests = 0;
  for (const name of names)
    for (const { routes } of await readWindows(redis, raw, 'apps', name, { from: 0, to: Date.now() + 1e6 }, [
      'routes',
    ]))
      requests += routes.reduce((total, row) => total + row.requests, 0);
  const [name = ''] = names;
  const sizes = await Promise.all(
    (['host', 'apps', 'routes'] as const).map((part) => redis.memoryUsage(windowsKey('raw', part, name))),
  );
  const samples = stored.reduce((total, count) => total + count, 0);
  return {
    samples: sent - samples,
    requests: sent * REQUESTS_OF_SAMPLE - requests,
    bytes: sizes.reduce((total: number, size) => total + (size ?? 0), 0) / (stored[0] || 1),
  };
}

async function queries(authorization: string, hub: Measured): Promise<void> {
  const to = Date.now();
  const week = `from=${to - 7 * 86_400_000}&to=${to}`;
  const chart = async (title: string, path: string, goal: boolean) => {
    const times: number[] = [];
    for (let i = -3; i < 9; i++) {
      // The first ones teach the compiler.
      if (i === 0) hub.begin();
      const begun = performance.now();
      const answer = await fetch(`${base}${path}`, { headers: { authorization } });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      await answer.arrayBuffer();
      if (i >= 0) times.push(performance.now() - begun);
    }
    hub.end();
    const time = times.sort((a, b) => a - b)[4] ?? 0;
    const busy = (hub.seconds() / 9) * 1000;
    const figure = `${time.toFixed(0)} ms (median of 9), ${busy.toFixed(0)} ms of processor`;
    if (goal) say(title, figure, time < 100, 'under 100 ms');
    else say(title, figure);
  };
  await chart('7 days of a host', `/api/history?host=${hostName(0)}&${week}`, true);
  await chart(
    `7 days of an application on ${HOSTS_OF_APP} hosts`,
    `/api/history?app=${appOf(0)}&${week}`,
    false,
  );
  await chart('7 days of its routes', `/api/routes?app=${appOf(0)}&${week}`, false);
}

/** What a browser loads until the overview of the fleet stands. */
async function page(authorization: string): Promise<void> {
  const bytes = async (path: string): Promise<{ size: number; text: string }> => {
    const output = join(directory, 'body');
    const args = [
      '-s',
      '-H',
      `authorization: ${authorization}`,
      '-H',
      'accept-encoding: br, gzip',
      '-o',
      output,
    ];
    const { stdout } = spawnSync('curl', [...args, '-w', '%{size_download}', `${base}${path}`], {
      encoding: 'utf8',
    });
    return { size: Number(stdout), text: readFileSync(output, 'latin1') };
  };
  const html = await (await fetch(`${base}/dashboard`)).text();
  const files = [...html.matchAll(/(?:src|href)="(\/dashboard\/[^"]+)"/g)].map(([, path]) => path ?? '');
  const sizes = await Promise.all(['/dashboard', ...files].map(bytes));
  const own = sizes.reduce((total, { size }) => total + size, 0);
  const overview = (await bytes('/api/overview')).size;
  const total = own + overview;
  say(
    'page',
    `${kib(own)} of page, ${kib(overview)} of overview of ${hosts} hosts`,
    total < 150 * 1024,
    'under 150 KB',
  );
}

function say(what: string, figure: string, good?: boolean, goal?: string): void {
  const verdict = goal === undefined ? '' : `  (goal: ${goal}${good ? '' : ', MISSED'})`;
  console.log(`  ${what.padEnd(40)} ${figure}${verdict}`);
  if (good === false) process.exitCode = 1;
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;

try {
  await main();
} catch (error) {
  console.error(readFileSync(join(directory, 'log'), 'utf8').split('\n').slice(-20).join('\n'));
  throw error;
} finally {
  for (const child of children) child.kill('SIGKILL');
  await sleep(200);
  rmSync(directory, { recursive: true, force: true });
}
process.exit();
