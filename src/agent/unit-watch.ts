/** One systemd unit, watched closely: what the canary needs to know of a variant. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { UnitLine } from '../metrics/live.ts';
import { findCgroup, readCpuSeconds, readMemory, readProcesses } from './cgroup.ts';
import { JournalCounter } from './journal.ts';

const run = promisify(execFile);

/** What systemd says of a unit. */
export interface UnitStatus {
  readonly state: string;
  readonly sub: string;
  readonly restarts: number;
  /** Path of the control group, empty while nothing runs. */
  readonly group: string;
}

/** Reads `systemctl show --property=LoadState,ActiveState,SubState,NRestarts,ControlGroup`. */
export function parseSystemctlShow(text: string): UnitStatus {
  const values = new Map(
    text.split('\n').map((line): [string, string] => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
  const loaded = values.get('LoadState') !== 'not-found';
  return {
    state: loaded ? (values.get('ActiveState') ?? 'unknown') : 'absent',
    sub: values.get('SubState') ?? 'unknown',
    restarts: Number(values.get('NRestarts') ?? 0) || 0,
    group: values.get('ControlGroup') ?? '',
  };
}

/** Processes by their number, for hosts that do not account for the group itself. */
type ProcessTimes = ReadonlyMap<number, { cpuSeconds: number; bytes: number }>;

export class UnitWatch {
  readonly #unit: string;
  readonly #journal: JournalCounter;
  #cpuSeconds: number | undefined;
  #processes: ProcessTimes | undefined;
  #group = '';

  constructor(unit: string) {
    this.#unit = unit;
    this.#journal = new JournalCounter(unit);
  }

  /** What happened since the last call. */
  async take(): Promise<Omit<UnitLine, 'kind' | 'at' | 'seconds' | 'unit'>> {
    const { stdout } = await run('systemctl', [
      'show',
      '--property=LoadState,ActiveState,SubState,NRestarts,ControlGroup',
      '--',
      this.#unit,
    ]);
    const status = parseSystemctlShow(stdout);
    // While a unit waits for its next start it has no group, yet the time used since the last look counts: the group is read at every look.
    if (status.group !== '') this.#group = status.group;
    const files = findCgroup(this.#group);
    const cpu = readCpuSeconds(files);
    const processes = cpu === undefined ? readProcesses(files) : undefined;
    const cpuSeconds = cpu === undefined ? this.#sinceProcesses(processes) : this.#sinceGroup(cpu);
    this.#cpuSeconds = cpu;
    this.#processes = processes;
    const resident = [...(processes ?? readProcesses(files)).values()].reduce(
      (sum, each) => sum + each.bytes,
      0,
    );
    const memoryBytes = readMemory(files) ?? (resident > 0 ? resident : null);
    const { lines, errors } = this.#journal.take();
    return {
      state: status.state,
      sub: status.sub,
      restarts: status.restarts,
      cpuSeconds,
      memoryBytes,
      logLines: lines,
      errorLines: errors,
    };
  }

  close(): void {
    this.#journal.close();
  }

  /** A group that began anew (the unit restarted) counts from zero. */
  #sinceGroup(now: number): number | null {
    if (this.#cpuSeconds === undefined) return null;
    return now >= this.#cpuSeconds ? now - this.#cpuSeconds : now;
  }

  #sinceProcesses(now: ProcessTimes | undefined): number | null {
    const before = this.#processes;
    if (before === undefined || now === undefined || now.size === 0) return null;
    let used = 0;
    for (const [pid, { cpuSeconds }] of now)
      used += Math.max(0, cpuSeconds - (before.get(pid)?.cpuSeconds ?? 0));
    return used;
  }
}
