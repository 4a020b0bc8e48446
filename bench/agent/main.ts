/**
 * What the agent costs, beside Debian's prometheus-node-exporter scraped at the same interval, in the same
 * seconds.
 *
 *   node bench/run.mjs agent [--seconds 60] [--interval 1] [--lines 2000] [--node PATH] [--flags "…"]
 *
 * Every program runs at once and is measured over the same seconds, after a warm-up: processor time from
 * /proc/PID/stat, resident memory from
 * /proc/PID/status. Limits (issue 6): 60 MB and 0.3 % of a core idle; 5 % of a core at 2,000 log lines a
 * second; no growth in an hour
 * (`--seconds 3600`).
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AGENT_FLAGS } from '../../src/roles/agent.ts';
import { redisUnavailable, TestRedis } from '../../test/agent/redis-server.ts';
import { bundleAgent } from '../../test/agent/support.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    interval: { type: 'string', default: '1' },
    lines: { type: 'string', default: '2000' },
    node: { type: 'string', default: process.execPath },
    flags: {
      type: 'string',
      default: AGENT_FLAGS,
    },
  },
});
const seconds = Number(values.seconds);
const intervalSeconds = Number(values.interval);
const linesPerSecond = Number(values.lines);
const flags = values.flags.split(' ').filter((flag) => flag !== '');
const WARM_UP_SECONDS = 10;
const EXPORTER_PORT = 19_100 + (process.pid % 500);

interface Measured {
  readonly name: string;
  readonly pid: number;
  readonly ticks: number[];
  readonly kilobytes: number[];
}

const directory = mkdtempSync(join(tmpdir(), 'pipeline-bench-'));
const children: ChildProcess[] = [];
// Also on Ctrl-C, which passes over every `finally`.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
const timers: NodeJS.Timeout[] = [];

function look(program: Measured): void {
  const stat = readFileSync(`/proc/${program.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  program.ticks.push(Number(fields[11]) + Number(fields[12]));
  program.kilobytes.push(
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, 'utf8'))?.[1]),
  );
}

function start(name: string, command: string, args: readonly string[]): Measured {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  children.push(child);
  return { name, pid: child.pid ?? 0, ticks: [], kilobytes: [] };
}

/** Lines of a busy host: 20 routes, two releases, some errors, latencies with a tail. */
function makeLines(count: number): string {
  let text = '';
  for (let i = 0; i < count; i++) {
    const time = (0.002 * Math.exp(3 * Math.random() ** 3)).toFixed(3);
    const status = i % 97 === 0 ? 500 : 200;
    const release = i % 10 === 0 ? '20240102-0fb8c1c' : '20240101-05c965f';
    text +=
      `{"msec":${(Date.now() / 1000).toFixed(3)},"app":"checkbox","colour":"blue",` +
      `"release":"${release}","method":"GET",` +
      `"uri":"/api/study/${'abcdefghijklmnopqrst'[i % 20]}/load/${1e6 + ((i * 7919) % 1e6)}?x=${i}",` +
      `"status":${status},"bytes":${400 + (i % 1000)},"time":${time},` +
      `"upstream_time":"${time}","upstream_header_time":"${time}","upstream_status":"${status}",` +
      `"upstream_addr":"127.0.0.1:3001","id":"8f14e45fceea167a5a36dedd4bea2543"}\n`;
  }
  return text;
}

async function run(): Promise<void> {
  const missing = redisUnavailable();
  if (missing !== undefined) throw new Error(missing);
  const redis = await TestRedis.start();
  const agent = await bundleAgent();
  try {
    const programs = [await startAgent('agent, no traffic', 'idle', [], redis, agent.path)];
    const log = join(directory, 'busy.json.log');
    writeFileSync(log, '');
    const logs = [{ server: 'nginx', path: log }];
    programs.push(await startAgent(`agent, ${linesPerSecond} lines/s`, 'busy', logs, redis, agent.path));
    if (spawnSync('prometheus-node-exporter', ['--version']).status === 0) {
      const listen = `--web.listen-address=127.0.0.1:${EXPORTER_PORT}`;
      programs.push(start('node_exporter (Debian), scraped', 'prometheus-node-exporter', [listen]));
      timers.push(setInterval(scrape, intervalSeconds * 1000));
    } else console.log('node_exporter is absent: apt-get install prometheus-node-exporter');
    // Written ten times a second, as a busy nginx does, from text made beforehand.
    const chunk = makeLines(Math.round(linesPerSecond / 10));
    timers.push(setInterval(() => appendFileSync(log, chunk), 100));
    // Rotated as logrotate does, so that an hour does not fill the disk.
    const rotate = (): void => {
      renameSync(log, join(directory, 'rotated'));
      writeFileSync(log, '');
    };
    timers.push(setInterval(rotate, 60_000));
    await new Promise((resolve) => setTimeout(resolve, WARM_UP_SECONDS * 1000));
    for (let second = 0; second <= seconds; second++) {
      for (const program of programs) look(program);
      if (second < seconds) await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    await report(programs, redis);
  } finally {
    for (const timer of timers) clearInterval(timer);
    for (const child of children) child.kill('SIGKILL');
    agent.remove();
    await redis.remove();
    rmSync(directory, { recursive: true });
  }
}

async function startAgent(
  name: string,
  host: string,
  logs: unknown,
  redis: TestRedis,
  path: string,
): Promise<Measured> {
  const config = join(directory, `${host}.json`);
  const address = await redis.addAgent(host, 'secret');
  writeFileSync(config, JSON.stringify({ host, intervalSeconds, redis: address, logs }), { mode: 0o600 });
  return start(name, values.node, [...flags, path, 'run', '--config', config]);
}

function nodeVersion(): string {
  return `Node ${spawnSync(values.node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`;
}

function scrape(): void {
  get({ host: '127.0.0.1', port: EXPORTER_PORT, path: '/metrics' }, (response) => response.resume()).on(
    'error',
    (error) => {
      console.log(`node_exporter: ${error.message}`);
    },
  );
}

async function report(programs: readonly Measured[], redis: TestRedis): Promise<void> {
  console.log(
    `${seconds} s, one sample every ${intervalSeconds} s, after ${WARM_UP_SECONDS} s of warm-up; ` +
      `${nodeVersion()}, flags ${flags.join(' ') || 'none'}\n`,
  );
  console.log('| program | memory at the end | highest | growth over the last half | of a core |');
  console.log('|---|---|---|---|---|');
  for (const { name, ticks, kilobytes } of programs) {
    const used = ((ticks.at(-1) ?? 0) - (ticks[0] ?? 0)) / 100 / seconds;
    const megabytes = (value = 0): string => `${(value / 1024).toFixed(1)} MB`;
    const half = kilobytes[Math.floor(kilobytes.length / 2)] ?? 0;
    const end = kilobytes.at(-1) ?? 0;
    console.log(
      `| ${name} | ${megabytes(end)} | ${megabytes(Math.max(...kilobytes))} | ${megabytes(end - half)} ` +
        `| ${(used * 100).toFixed(2)} % |`,
    );
  }
  for (const host of ['idle', 'busy']) {
    const stream = `in:${host}:samples`;
    const [length, bytes] = [
      await redis.admin('XLEN', stream),
      await redis.admin('MEMORY', 'USAGE', stream, 'SAMPLES', '0'),
    ];
    console.log(
      `\n${host}: ${length} samples in the inbox, ${Math.round(Number(bytes) / Number(length))} bytes each`,
    );
  }
}

await run();
