/** Starts and ends hosts. */
import { spawn } from 'node:child_process';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { rootOf } from './base-image.ts';
import { bootScript, superviseScript, unitArguments } from './boot.ts';
import { isLed, killAndRemove, type Limits, setLimits } from './groups.ts';
import { waitForLock } from './lock.ts';
import { chooseLauncher, hostGroups, type MachineFacts } from './machine.ts';
import type { HostRecord } from './records.ts';
import { lastLines, mustRun, programFailure, run } from './run.ts';
import type { EnvironmentLayout, HostLayout } from './settings.ts';
import { addressIn } from './subnet.ts';

/** How long a host may take to answer on its SSH port. It takes about a second on an idle machine. */
const BOOT_TIMEOUT_MS = 90_000;

/** What is common to all hosts of an environment. */
export interface Fleet {
  readonly facts: MachineFacts;
  readonly environment: EnvironmentLayout;
  readonly subnet: string;
  /** Held while hosts are started and ended. */
  readonly lock: number;
}

/**
 * Starts a host that does not run; it outlives this program. Whatever an earlier life left is ended first. Returns before it has booted.
 * @throws Failure kind `host` where systemd refuses the unit.
 */
export async function startHost(
  context: Context,
  fleet: Fleet,
  layout: HostLayout,
  record: HostRecord,
): Promise<void> {
  await endHost(context, fleet, layout);
  const kind = chooseLauncher(fleet.facts);
  const groups = hostGroups(fleet.facts, layout);
  const boot = bootScript(
    {
      name: record.name,
      machineName: `${record.name}-${fleet.environment.id}`,
      base: rootOf(record.base),
      upper: layout.upper,
      work: layout.work,
      root: layout.root,
      network: layout.network,
      bridge: fleet.environment.bridge,
      address: record.address,
      prefix: 24,
      gateway: addressIn(fleet.subnet, 1),
      memoryBytes: record.memoryBytes,
      cpus: record.cpus,
    },
    kind === 'unit',
  );
  await writeFile(layout.bootScript, boot, { mode: 0o700 });
  await writeFile(layout.wanted, '');
  if (kind === 'unit') {
    const args = unitArguments(layout.unit, { ...record, script: layout.bootScript, log: layout.consoleLog });
    const result = await run(context, 'systemd-run', args, { lock: fleet.lock });
    if (result.code !== 0) throw await startFailure(layout, programFailure('start', 'systemd-run', result));
    return;
  }
  await writeFile(layout.superviseScript, superviseScript({ ...layout, ...record, groups }), { mode: 0o700 });
  await detach(layout);
}

/**
 * Waits until the host answers on its SSH port.
 * @throws Failure kind `host` where it died or does not answer in time, with the last lines of its console.
 */
export async function waitForSsh(
  context: Context,
  fleet: Fleet,
  layout: HostLayout,
  address: string,
): Promise<void> {
  const groups = hostGroups(fleet.facts, layout);
  const started = Date.now();
  while (!(await answersSsh(address, 1000))) {
    context.signal.throwIfAborted();
    const waited = Date.now() - started;
    // the supervisor needs a moment to enter its control groups
    if (waited > 3000 && !(await isLed(groups)))
      throw await startFailure(layout, 'it stopped while it booted');
    if (waited > BOOT_TIMEOUT_MS) {
      throw await startFailure(
        layout,
        `it did not answer on ${address}:22 within ${BOOT_TIMEOUT_MS / 1000} seconds`,
      );
    }
    await sleep(20);
  }
}

/** Whether an SSH server greets at the address within the time. */
export function answersSsh(address: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: address, port: 22, timeout: timeoutMs });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data: Buffer) => end(data.toString('latin1').startsWith('SSH-')));
    for (const event of ['error', 'timeout', 'close']) socket.once(event, () => end(false));
  });
}

/** Ends a host as a power cut does, and whatever an unfinished start may still be about to do. The disk stays. */
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
    // a supervisor that a killed command has just started: it holds its lock before it can be seen in a control group
    const lock = await waitForLock(context, layout.lockFile, { forMs: 50 });
    await lock?.release();
    if (lock !== undefined) return;
  }
}

/** New limits for a running host. */
export async function limitHost(
  context: Context,
  fleet: Fleet,
  layout: HostLayout,
  limits: Limits,
): Promise<void> {
  if (chooseLauncher(fleet.facts) === 'unit') {
    // so that systemd does not write the old ones back
    const properties = [`MemoryMax=${limits.memoryBytes}`, `CPUQuota=${Math.round(limits.cpus * 100)}%`];
    await mustRun(context, 'limits', 'systemctl', ['set-property', '--runtime', layout.unit, ...properties], {
      lock: fleet.lock,
    });
  }
  await setLimits(hostGroups(fleet.facts, layout), limits, layout.name);
}

/** Starts the supervisor in a session of its own, with nothing of this program attached. */
async function detach(layout: HostLayout): Promise<void> {
  const log = await open(layout.consoleLog, 'w', 0o600);
  try {
    const child = spawn('sh', [layout.superviseScript], {
      cwd: '/',
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
  } finally {
    await log.close();
  }
}

async function startFailure(layout: HostLayout, why: string | Failure): Promise<Failure> {
  const console = await readFile(layout.consoleLog, 'utf8').catch(() => '');
  // the console is coloured
  const output = lastLines(console.replace(new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, 'g'), ''));
  const reason = typeof why === 'string' ? why : why.message;
  return new Failure('host', `${layout.name} did not start: ${reason}.`, {
    host: layout.name,
    step: 'start',
    output: output.length > 0 ? output : typeof why === 'string' ? [] : why.output,
    next: `Run the command again, which starts it anew; its whole console is in ${layout.consoleLog}.`,
    ...(typeof why === 'string' ? {} : { cause: why }),
  });
}
