/**
 * The same end state on three fresh local hosts by this program, by Ansible, and by one bash script a host:
 * first run, and a run with nothing to do.
 * node bench/run.mjs converge [--rounds N] [--only NAME]
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { execa } from 'execa';
import type { SshTarget } from '../../src/ssh/connection.ts';
import { formatKnownHosts } from '../../src/ssh/known-hosts.ts';
import { hostsUnavailable, startHosts } from '../../test/support/hosts.ts';
import { CONFIGURATION, playbook, taskCount } from './ansible.ts';
import { bashScript } from './bash.ts';
import { HOSTS, type HostName, lookScript } from './state.ts';

/** Runs with nothing to do, of which the median counts. */
const IDLE_RUNS = 5;

type Contender = 'pipeline' | 'bash' | 'ansible';
const CONTENDERS: readonly Contender[] = ['bash', 'pipeline', 'ansible'];

interface Times {
  readonly first: number[];
  readonly idle: number[];
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '1' }, only: { type: 'string' } },
});
const contenders = CONTENDERS.filter(
  (name) => values.only === undefined || values.only.split(',').includes(name),
);
const unavailable = hostsUnavailable();
if (unavailable !== undefined) {
  console.error(`bench converge: ${unavailable}`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'bench-converge-'));
// Beside node_modules, so that what is not bundled would be found; everything is, as in the program that
// ships.
const program = join(folder, 'program.mjs');
await build({
  entryPoints: [join(import.meta.dirname, 'program.ts')],
  outfile: program,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  logLevel: 'warning',
  banner: {
    js: "import { createRequire as __make } from 'node:module'; const require = __make(import.meta.url);",
  },
});
if (contenders.includes('ansible')) await installAnsible();

const times = new Map(contenders.map((name): [Contender, Times] => [name, { first: [], idle: [] }]));
const ends = new Map<Contender, string>();
try {
  console.log(
    `${HOSTS.length} hosts, ${taskCount()} different tasks; fresh hosts for each contender and round`,
  );
  console.log('Round 0 warms the archive and the page cache and does not count.');
  for (let round = 0; round <= Number(values.rounds); round++) {
    // Whoever is first in one round is last in the next.
    const order = round % 2 === 0 ? contenders : contenders.toReversed();
    for (const name of round === 0 ? order.slice(0, 1) : order) await compete(name, round);
  }
  report();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compete(name: Contender, round: number): Promise<void> {
  const hosts = await startHosts({ names: HOSTS, memory: 1024 * 2 ** 20 });
  try {
    const targets = hosts.machines.map((machine): SshTarget => {
      const { address, port, user, identityFile, hostKeys } = machine;
      const knownHostsFile = join(folder, `known_hosts.${machine.name}`);
      writeFileSync(knownHostsFile, formatKnownHosts([{ address, port, keys: hostKeys }]));
      return { name: machine.name, address, port, user, identityFile, knownHostsFile };
    });
    await Promise.all(targets.map(settle));
    const run = await runner(name, targets);
    const first = await seconds(run);
    console.log(
      `  ${name.padEnd(9)} first run     ${first.toFixed(2)} s${round === 0 ? '  (not counted)' : ''}`,
    );
    if (round === 0) return;
    times.get(name)?.first.push(first);
    const idle: number[] = [];
    for (let i = 0; i < IDLE_RUNS; i++) idle.push(await seconds(run));
    times.get(name)?.idle.push(median(idle));
    console.log(
      `  ${name.padEnd(9)} nothing to do ${median(idle).toFixed(2)} s  ` +
        `(${idle.map((s) => s.toFixed(2)).join(', ')})`,
    );
    ends.set(name, (await Promise.all(targets.map(look))).join('\n'));
  } finally {
    await hosts.stop();
  }
}

/**
 * How a contender is run against hosts. Connections are closed between runs, so that every run starts from
 * nothing.
 */
async function runner(name: Contender, targets: readonly SshTarget[]): Promise<() => Promise<void>> {
  if (name === 'pipeline') {
    const input = join(folder, 'targets.json');
    writeFileSync(input, JSON.stringify(targets));
    return async () => void (await execa(process.execPath, [program, input]));
  }
  if (name === 'bash') {
    return async () =>
      void (await Promise.all(
        targets.map((target) =>
          execa('ssh', [...options(target), 'bash', '-s'], { input: bashScript(target.name as HostName) }),
        ),
      ));
  }
  const place = mkdtempSync(join(folder, 'ansible-'));
  for (const [file, text] of Object.entries(playbook())) writeFileSync(join(place, file), text);
  const control = join(place, 'control');
  mkdirSync(control);
  writeFileSync(join(place, 'ansible.cfg'), `${CONFIGURATION}control_path_dir = ${control}\n`);
  const lines = targets.map(
    ({ name: host, address, user, identityFile, knownHostsFile }) =>
      `${host} ansible_host=${address} ansible_user=${user} ansible_ssh_private_key_file=${identityFile} ` +
      `ansible_ssh_extra_args='-F none -o UserKnownHostsFile=${knownHostsFile}'`,
  );
  writeFileSync(join(place, 'inventory.ini'), `[all]\n${lines.join('\n')}\n`);
  return async () => {
    const { exitCode, all } = await execa('ansible-playbook', ['-i', 'inventory.ini', 'site.yml'], {
      cwd: place,
      env: { ANSIBLE_NOCOLOR: '1' },
      reject: false,
      all: true,
    });
    if (exitCode !== 0) throw new Error(`ansible-playbook exit ${exitCode}\n${all.slice(-4000)}`);
    await execa(
      'bash',
      ['-c', `for s in ${control}/*; do [ -S "$s" ] && ssh -o ControlPath="$s" -O exit x; done; true`],
      { reject: false },
    );
  };
}

function options({ address, user, identityFile, knownHostsFile }: SshTarget): readonly string[] {
  return [
    '-F',
    'none',
    '-i',
    `${identityFile}`,
    '-o',
    'BatchMode=yes',
    '-o',
    `UserKnownHostsFile=${knownHostsFile}`,
    `${user}@${address}`,
  ];
}

/** A fresh host looks for upgrades at its start, which would hold up whoever installs packages then. */
async function settle(target: SshTarget): Promise<void> {
  const input =
    'systemctl is-system-running --wait; ' +
    'systemctl stop apt-daily.timer apt-daily.service apt-daily-upgrade.timer; ' +
    'while pgrep -x apt-get; do sleep 0.2; done; true';
  await execa('ssh', [...options(target), 'bash', '-s'], { input });
}

async function look(target: SshTarget): Promise<string> {
  const { stdout } = await execa('ssh', [...options(target), 'bash', '-s'], {
    input: lookScript(target.name as HostName),
  });
  return stdout;
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function installAnsible(): Promise<void> {
  if ((await execa('ansible-playbook', ['--version'], { reject: false })).exitCode === 0) return;
  console.log('Installing ansible-core from the distribution.');
  await execa('apt-get', ['install', '--yes', '--no-install-recommends', 'ansible-core'], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
}

function report(): void {
  console.log('\n              first run   nothing to do');
  const of = (name: Contender) => ({
    first: median(times.get(name)?.first ?? []),
    idle: median(times.get(name)?.idle ?? []),
  });
  for (const name of contenders) {
    console.log(
      `${name.padEnd(12)}  ${of(name).first.toFixed(2).padStart(7)} s   ` +
        `${of(name).idle.toFixed(2).padStart(7)} s`,
    );
  }
  if (!times.has('pipeline')) return;
  const own = of('pipeline');
  for (const name of contenders.filter((one) => one !== 'pipeline')) {
    const { first, idle } = of(name);
    console.log(
      `pipeline : ${name}  first ${(own.first / first).toFixed(2)}  ` +
        `nothing to do ${(own.idle / idle).toFixed(2)}`,
    );
  }
  const reference = ends.get('pipeline');
  for (const [name, end] of ends) {
    if (end !== reference)
      console.log(`The end state of ${name} differs:\n${difference(reference ?? '', end)}`);
  }
  if (new Set(ends.values()).size === 1) console.log('The end states are the same.');
}

function difference(a: string, b: string): string {
  const [left, right] = [a.split('\n'), b.split('\n')];
  return [
    ...left.filter((line) => !right.includes(line)).map((line) => `- ${line}`),
    ...right.filter((line) => !left.includes(line)).map((line) => `+ ${line}`),
  ].join('\n');
}
