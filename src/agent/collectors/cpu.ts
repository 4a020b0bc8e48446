/** Processor time by what it went to, from /proc/stat (proc(5)). */
import { increase, share } from '../../metrics/rate.ts';
import type { Collector, Findings } from '../collector.ts';
import { type Container, containerCpu } from '../system/container.ts';
import { ProcFile } from '../system/proc-file.ts';

/** Ticks since the host started, and threads now. */
export interface CpuTimes {
  readonly user: number;
  readonly system: number;
  readonly idle: number;
  readonly iowait: number;
  readonly steal: number;
  readonly cores: number;
  readonly running: number;
  readonly blocked: number;
}

/** Reads /proc/stat. Guest time is within user time already; nice counts as user, interrupts as system. */
export function parseStat(text: string): CpuTimes {
  const fields = /^cpu +(.+)$/m.exec(text)?.[1]?.split(' ').map(Number);
  if (fields === undefined) throw new Error('/proc/stat has no line "cpu"');
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = fields;
  return {
    user: user + nice,
    system: system + irq + softirq,
    idle,
    iowait,
    steal,
    cores: text.match(/^cpu\d/gm)?.length ?? 1,
    running: Number(/^procs_running (\d+)$/m.exec(text)?.[1] ?? 0),
    blocked: Number(/^procs_blocked (\d+)$/m.exec(text)?.[1] ?? 0),
  };
}

/**
 * Shares of the time between two looks. iowait may run backwards by a tick (proc(5)); that counts as none.
 */
export function cpuShares(before: CpuTimes | undefined, now: CpuTimes): NonNullable<Findings['system']> {
  const grown = (part: 'user' | 'system' | 'idle' | 'iowait' | 'steal'): number =>
    before === undefined || now[part] < before[part] ? 0 : (increase(before[part], now[part]) ?? 0);
  const [user, system, steal] = [grown('user'), grown('system'), grown('steal')];
  const whole = user + system + steal + grown('idle') + grown('iowait');
  return {
    cpu: share(user + system, whole),
    cpu_user: share(user, whole),
    cpu_system: share(system, whole),
    cpu_iowait: share(grown('iowait'), whole),
    cpu_steal: share(steal, whole),
    cores: now.cores,
    processes_running: now.running,
    processes_blocked: now.blocked,
  };
}

/**
 * Times of a container: what is not used of its cores since `clock` began is idle. Waiting and steal are the
 * machine's alone.
 */
export function containerTimes(
  use: { user: number; system: number },
  cores: number,
  clockSeconds: number,
  machine: CpuTimes,
): CpuTimes {
  const [user, system] = [use.user * 100, use.system * 100];
  const idle = clockSeconds * 100 * cores - user - system;
  return { ...machine, user, system, idle, iowait: 0, steal: 0, cores };
}

/** What the kernel tells of the whole machine alone. */
const OF_THE_MACHINE = {
  cpu_iowait: null,
  cpu_steal: null,
  processes_running: null,
  processes_blocked: null,
} as const;

export function cpuCollector(container: Container | undefined): Collector {
  const file = new ProcFile('/proc/stat');
  let before: CpuTimes | undefined;
  return {
    name: 'cpu',
    everySeconds: 0,
    collect(_, clock) {
      const machine = parseStat(file.read());
      const use = container === undefined ? undefined : containerCpu(container);
      const now =
        use === undefined
          ? machine
          : containerTimes(use, container?.cores ?? machine.cores, clock / 1000, machine);
      const system = cpuShares(before, now);
      before = now;
      return { system: use === undefined ? system : { ...system, ...OF_THE_MACHINE } };
    },
    close: () => file.close(),
  };
}
