/** Starts and ends hosts. */
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { writeFileAtomic } from '../../files.ts';
import { hasEnded, startProcess } from '../../process/child.ts';
import { lastLines } from '../../process/output.ts';
import { toolFailure } from '../../process/tool.ts';
import { bootScript } from './boot.ts';
import { rootOf } from './cache.ts';
import { isLed, killAndRemove, setLimits } from './groups.ts';
import { waitForLock } from './lock.ts';
import { chooseLauncher, hostGroups, type MachineFacts } from './machine.ts';
import { limitsScript, superviseScript, unitArguments } from './parents.ts';
import { type HostRecord, imagesUnder } from './records.ts';
import { mustRun, run } from './run.ts';
import type { EnvironmentLayout, HostLayout } from './settings.ts';
import { addressIn } from './subnet.ts';

/**
 * How long a host with a whole processor may take to answer on its SSH port. It takes about a second on an
 * idle machine.
 */
const BOOT_TIMEOUT_MS = 120_000;
/** Nobody waits longer than so many times that for a host with a part of one. */
const SLOWEST_BOOT = 5;

/** What is common to all hosts of an environment. */
export interface Fleet {
  readonly facts: MachineFacts;
  readonly environment: EnvironmentLayout;
  readonly subnet: string;
  /** Held while hosts are started and ended. */
  readonly lock: number;
}

/** A host's start that was begun. */
export interface Starting {
  /** Whether it has ended already, and the host with it. */
  readonly failed: () => Promise<boolean>;
}

/**
 * Starts a host that does not run; it outlives this program. Whatever an earlier life left is ended first.
 * May return before it has booted.
 * @throws Failure kind `host` where systemd refuses the unit.
 */
export async function startHost(
  context: Context,
  fleet: Fleet,
  layout: HostLayout,
  record: HostRecord,
): Promise<Starting> {
  await endHost(context, fleet, layout);
  await writeScripts(fleet, layout, record);
  await writeFile(layout.wanted, '');
  if (chooseLauncher(fleet.facts) === 'supervisor') return detach(layout);
  const groups = hostGroups(fleet.facts, layout);
  const args = unitArguments({ ...layout, ...record, groups });
  const result = await run(context, 'systemd-run', args, { lock: fleet.lock });
  if (result.exitCode !== 0) throw await startFailure(layout, toolFailure('start', 'systemd-run', result));
  return { failed: async () => !(await isLed(groups)) };
}

/** What starts the host now and at each reboot. */
async function writeScripts(fleet: Fleet, layout: HostLayout, record: HostRecord): Promise<void> {
  const { facts, environment, subnet } = fleet;
  const boot = {
    ...layout,
    ...record,
    lower: imagesUnder(record).map(rootOf),
    diskImage: record.diskBytes === undefined ? undefined : layout.diskImage,
    machineName: `${record.name}-${environment.id}`,
    bridge: environment.bridge,
    prefix: 24,
    gateway: addressIn(subnet, 1),
  };
  await writeFileAtomic(layout.bootScript, bootScript(boot));
  const host = { ...layout, ...record, groups: hostGroups(facts, layout) };
  await writeFileAtomic(layout.limitsScript, limitsScript(host));
  await writeFileAtomic(layout.superviseScript, superviseScript(host));
}

/**
 * Waits until the host answers on its SSH port.
 * @throws Failure kind `host` where it died or does not answer in time, with the last lines of its console.
 */
export async function waitForSsh(
  context: Context,
  fleet: Fleet,
  layout: HostLayout,
  { address, cpus }: Pick<HostRecord, 'address' | 'cpus'>,
  starting?: Starting,
): Promise<void> {
  const groups = hostGroups(fleet.facts, layout);
  const limitMs = BOOT_TIMEOUT_MS * Math.min(SLOWEST_BOOT, Math.max(1, 1 / cpus));
  const started = Date.now();
  while (!(await answersSsh(address, limitMs / 10))) {
    context.signal.throwIfAborted();
    const waited = Date.now() - started;
    // one that was started by a command that is gone may need a moment to enter its control groups
    const dead = starting ? starting.failed() : waited > 10_000 && !(await isLed(groups));
    if (await dead) throw await startFailure(layout, 'it stopped while it booted');
    if (waited > limitMs) {
      const seconds = Math.round(limitMs / 1000);
      throw await startFailure(layout, `it did not answer on ${address}:22 within ${seconds} seconds`);
    }
    await sleep(20);
  }
}

/** Milliseconds in which the kernel of a host that is there takes a connection, however busy the host is. */
const CONNECT_MS = 200;

/** Whether an SSH server at the address takes a connection at once, and greets within the time. */
export function answersSsh(address: string, greetingMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port: 22, timeout: CONNECT_MS });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => socket.setTimeout(greetingMs));
    socket.once('data', (data: Buffer) => end(data.toString('latin1').startsWith('SSH-')));
    for (const event of ['error', 'timeout', 'close']) socket.once(event, () => end(false));
  });
}

/**
 * Ends a host as a power cut does, and whatever an unfinished start may still be about to do. The disk stays.
 */
export async function endHost(
  context: Context,
  fleet: Pick<Fleet, 'facts' | 'lock'>,
  layout: HostLayout,
): Promise<void> {
  await rm(layout.wanted, { force: true });
  const groups = hostGroups(fleet.facts, layout);
  if (chooseLauncher(fleet.facts) === 'unit') {
    // a unit that is not loaded is what is wanted: these may fail, the control group tells
    for (const verb of [['kill', '--signal=KILL'], ['stop'], ['reset-failed']]) {
      await run(context, 'systemctl', ['--quiet', ...verb, layout.unit], { lock: fleet.lock });
    }
  }
  for (;;) {
    await killAndRemove(groups, layout.name);
    // a supervisor that a killed command has just started: it holds its lock before it can be seen in a
    // control group
    const lock = await waitForLock(context, layout.lockFile, { forMs: 50 });
    await lock?.release();
    if (lock !== undefined) return;
  }
}

/** New limits for a running host, which it keeps when it reboots. */
export async function limitHost(
  context: Context,
  fleet: Fleet,
  layout: HostLayout,
  record: HostRecord,
): Promise<void> {
  await setLimits(hostGroups(fleet.facts, layout), record, layout.name);
  await writeScripts(fleet, layout, record);
  if (chooseLauncher(fleet.facts) === 'supervisor') return;
  const properties = [`MemoryMax=${record.memoryBytes}`, `CPUQuota=${Math.round(record.cpus * 100)}%`];
  await mustRun(context, 'limits', 'systemctl', ['set-property', '--runtime', layout.unit, ...properties], {
    lock: fleet.lock,
  });
}

/** Starts the supervisor in a session of its own, with nothing of this program attached. */
async function detach(layout: HostLayout): Promise<Starting> {
  const log = await open(layout.consoleLog, 'w', 0o600);
  try {
    const child = await startProcess('bash', [layout.superviseScript], {
      cwd: '/',
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', log.fd, log.fd],
    });
    child.unref();
    return { failed: async () => hasEnded(child) };
  } finally {
    await log.close();
  }
}

async function startFailure(layout: HostLayout, why: string | Failure): Promise<Failure> {
  const log = await readFile(layout.consoleLog, 'utf8').catch(() => '');
  const own =
    typeof why === 'string' ? { reason: why, output: [] } : { reason: why.message, output: why.output };
  const output = consoleLines(log);
  return new Failure('host', `${layout.name} did not come up: ${own.reason.replace(/\.$/, '')}.`, {
    host: layout.name,
    step: 'start',
    output: output.length > 0 ? output : own.output,
    next:
      'Run the command again, which starts it anew where it does not run; ' +
      `its whole console is in ${layout.consoleLog}.`,
    cause: typeof why === 'string' ? undefined : why,
  });
}

/** The last lines of a console without colours, cursor movements and systemd's moving asterisks. */
export function consoleLines(console: string): readonly string[] {
  const esc = String.fromCharCode(27);
  const text = console.replace(new RegExp(`${esc}(?:\\[[\\d;?]*[A-Za-z]|[A-Z])|\r`, 'g'), '');
  return lastLines(text.replace(/^\[[ *]{6}\].*$/gm, ''), 20);
}
