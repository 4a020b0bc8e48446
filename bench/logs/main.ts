/**
 * `pipeline logs` beside `ssh HOST journalctl` on each host: the first line of a search over a large journal
 * on each of three hosts, and how late a line is that a service prints while it is followed.
 *
 *   node bench/run.mjs logs [--entries 2350000] [--rounds 5]
 *
 * Needs root, local hosts, `npm run build`, and systemd-journal-remote, which writes the journals: 2,350,000
 * entries are about 1 GB. They are kept for three quarters of an hour.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Machine } from '../../src/cloud/provider.ts';
import { knownHostName } from '../../src/ssh/known-hosts.ts';
import { sshArguments, withHosts } from '../../test/support/hosts.ts';

const { values } = parseArgs({
  options: { entries: { type: 'string', default: '2350000' }, rounds: { type: 'string', default: '5' } },
});
const [entries, rounds] = [Number(values.entries), Number(values.rounds)];
const WRITER = '/lib/systemd/systemd-journal-remote';
const UNIT = 'pipeline-shop@blue.service';
const SLICE = 'system-pipeline\\x2dshop.slice';
const SEARCHED = 'payment-timeout';
const NAMES = ['one', 'two', 'three'];
const ROOT = join(import.meta.dirname, '../..');
const MATCHES = [`_SYSTEMD_SLICE=${SLICE}`, '+', `UNIT=${UNIT}`].join(' ');

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const journal = await madeJournal();
const size = readdirSync(journal).reduce((sum, name) => sum + statSync(join(journal, name)).size, 0);
const folder = mkdtempSync(join(tmpdir(), 'pipeline-bench-logs-'));
try {
  await withHosts({ names: NAMES, memory: 1024 * 2 ** 20 }, async (machines) => {
    writeProject(machines);
    await Promise.all(machines.map((machine) => bringJournal(machine)));
    await search(machines);
    await follow(machines[0]);
    await everything();
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A folder with a day of journal: every second entry is the application's, one in 20,000 is searched for. */
async function madeJournal(): Promise<string> {
  const made = join(tmpdir(), `pipeline-bench-journal-${entries}`);
  const done = join(made, 'done');
  // It must lie within the last day.
  if (existsSync(done) && Date.now() - statSync(done).mtimeMs < 45 * 60_000) return join(made, 'files');
  rmSync(made, { recursive: true, force: true });
  if (!existsSync(WRITER)) throw new Error('run `apt-get install --yes systemd-journal-remote`');
  mkdirSync(join(made, 'files'), { recursive: true });
  console.log(`Writing a journal of ${entries} entries.`);
  const writer = spawn(WRITER, ['-o', join(made, 'files', 'all.journal'), '-'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = once(writer, 'close');
  const begin = Date.now() - 23 * 3_600_000;
  for (let index = 0; index < entries; index++) {
    const at = Math.floor((begin + ((Date.now() - 60_000 - begin) * index) / entries) * 1000);
    if (!writer.stdin.write(entry(index, at))) await once(writer.stdin, 'drain');
  }
  writer.stdin.end();
  await ended;
  writeFileSync(done, '');
  return join(made, 'files');
}

function entry(index: number, at: number): string {
  const own = index % 2 === 0;
  const trace = createHash('sha256').update(String(index)).digest('hex');
  const found = index % 20_000 === 14 ? ` ${SEARCHED}` : '';
  const fields = {
    __REALTIME_TIMESTAMP: at,
    __MONOTONIC_TIMESTAMP: index + 1,
    _BOOT_ID: '0123456789abcdef0123456789abcdef',
    PRIORITY: 6,
    _TRANSPORT: 'stdout',
    _SYSTEMD_UNIT: own ? UNIT : 'noise.service',
    _SYSTEMD_SLICE: own ? SLICE : 'system.slice',
    SYSLOG_IDENTIFIER: own ? 'shop' : 'noise',
    _PID: 4000 + (index % 3),
    MESSAGE: `GET /api/${index} took ${index % 997} ms trace=${trace}${trace}${found}`,
  };
  return `${Object.entries(fields)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')}\n`;
}

function writeProject(machines: readonly Machine[]): void {
  const known = join(folder, 'known_hosts');
  writeFileSync(
    known,
    machines
      .flatMap(({ address, port, hostKeys }) =>
        hostKeys.map((key) => `${knownHostName(address, port)} ${key}\n`),
      )
      .join(''),
  );
  const hosts = machines.map(
    ({ name, address, port, user, identityFile }) =>
      `${name} ansible_host=${address} ansible_port=${port} ansible_user=${user} ` +
      `ansible_ssh_private_key_file=${identityFile} ` +
      `ansible_ssh_common_args="-o UserKnownHostsFile=${known}"\n[${name}]\n${name}\n`,
  );
  // Variables stand where a host is named first: before any group.
  const lines = hosts.map((text) => text.split('\n'));
  writeFileSync(
    join(folder, 'inventory.ini'),
    [...lines.map(([first]) => first), ...lines.flatMap((all) => all.slice(1))].join('\n'),
  );
  writeFileSync(
    join(folder, 'pipeline.yml'),
    `project: bench\nhosts: { ${NAMES.map((name) => `${name}: { roles: [nginx] }`).join(', ')} }\n` +
      `apps: { shop: { source: /nowhere, hosts: [${NAMES.join(', ')}] } }\n`,
  );
}

async function bringJournal(machine: Machine): Promise<void> {
  const script = 'f=/var/log/journal/$(cat /etc/machine-id); mkdir -p "$f" && tar -x -C "$f"';
  const command = `tar -c -C ${journal} . | ssh ${sshArguments(machine).join(' ')} '${script}'`;
  execFileSync('bash', ['-c', command], { stdio: 'inherit' });
}

function pipeline(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [join(ROOT, 'bin/pipeline'), 'logs', 'shop', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function plain(machine: Machine, command: string): ChildProcess {
  return spawn('ssh', [...sshArguments(machine), command], { stdio: ['ignore', 'pipe', 'inherit'] });
}

interface Searched {
  /** Seconds. */
  readonly first: number;
  readonly all: number;
  readonly lines: number;
  /** Bytes that the program had at most. */
  readonly memory: number;
}

/** Until every program has ended: the first line of any of them. */
async function timed(start: () => readonly ChildProcess[]): Promise<Searched> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  let [first, lines, memory] = [Number.NaN, 0, 0];
  const children = start();
  const watch = setInterval(() => {
    for (const { pid } of children) memory = Math.max(memory, peakOf(pid));
  }, 20);
  await Promise.all(
    children.map(async (child) => {
      if (child.stdout === null) return;
      const reader = createInterface({ input: child.stdout });
      reader.on('line', () => {
        if (lines++ === 0) first = seconds();
      });
      const [code] = await once(child, 'close');
      if (code !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with code ${code}`);
    }),
  );
  clearInterval(watch);
  return { first, all: seconds(), lines, memory };
}

function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

async function search(machines: readonly Machine[]): Promise<void> {
  const matches = MATCHES.replaceAll(' ', "' '");
  const command = `journalctl --quiet --no-pager --since -24h --grep ${SEARCHED} '${matches}'`;
  const ours: Searched[] = [];
  const theirs: Searched[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await timed(() => [pipeline('--since', '24h', '--grep', SEARCHED)]));
    theirs.push(await timed(() => machines.map((machine) => plain(machine, command))));
  }
  console.log(
    `\nA search over 24 h, ${(size / 1e9).toFixed(2)} GB of journal on each of ${machines.length} hosts:`,
  );
  const row = (name: string, all: readonly Searched[]) =>
    console.log(
      `${name.padEnd(28)} first line ${median(all.map(({ first }) => first)).toFixed(2)} s, ` +
        `all ${median(all.map((one) => one.all)).toFixed(2)} s, ` +
        `${median(all.map(({ lines }) => lines))} lines, ` +
        `at most ${(Math.max(...all.map(({ memory }) => memory)) / 1e6).toFixed(0)} MB`,
    );
  row('pipeline logs', ours);
  row('ssh HOST journalctl', theirs);
  const ratio = median(ours.map(({ first }) => first)) / median(theirs.map(({ first }) => first));
  console.log(`ratio of the first lines: ${ratio.toFixed(2)} (program start, inventory and merge included)`);
}

/** All of it, which is what memory must not grow with. */
async function everything(): Promise<void> {
  const whole = await timed(() => [pipeline('--since', '24h', '--json')]);
  console.log(
    `every line of 24 h: ${whole.lines} lines in ${whole.all.toFixed(1)} s, ` +
      `at most ${(whole.memory / 1e6).toFixed(0)} MB`,
  );
}

/** Hosts here share this machine's clock: a line that holds its time says how late it is. */
async function follow(machine: Machine | undefined): Promise<void> {
  if (machine === undefined) throw new Error('no host');
  const unit = 'pipeline-shop@job-tick.service';
  execFileSync('ssh', [
    ...sshArguments(machine),
    `systemd-run --quiet --unit ${unit} sh -c 'while :; do date +tick-%s.%N; sleep 0.37; done'`,
  ]);
  const ours = await lateness(pipeline('-f', '-n', '0'));
  const theirs = await lateness(plain(machine, `journalctl -f -n 0 -o cat -u ${unit}`));
  console.log('\nFrom a service to the terminal:');
  const row = (name: string, all: readonly number[]) =>
    console.log(
      `${name.padEnd(28)} median ${median(all).toFixed(0)} ms, at most ${Math.max(...all).toFixed(0)} ms ` +
        `of ${all.length} lines`,
    );
  row('pipeline logs -f', ours);
  row('ssh HOST journalctl -f', theirs);
}

async function lateness(child: ChildProcess): Promise<readonly number[]> {
  const late: number[] = [];
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (line) => {
      const at = /tick-(\d+\.\d+)/.exec(line)?.[1];
      if (at !== undefined) late.push(Date.now() - Number(at) * 1000);
    });
  await sleep(20_000);
  child.kill('SIGINT');
  await once(child, 'close');
  return late;
}
