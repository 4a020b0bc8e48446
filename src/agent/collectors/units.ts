/** systemd units: state, restarts, processor time, memory; and which have failed. */
import type { Row } from '../../metrics/catalogue.ts';
import { increase } from '../../metrics/rate.ts';
import type { Collector, Findings } from '../collector.ts';
import { GroupUsage } from '../system/cgroup.ts';
import { Systemd, type UnitStatus } from '../system/systemd.ts';

/** Seconds between two looks at units that did not change, for their processor time and memory. */
const EVERY_SECONDS = 15;

/**
 * Whether a unit is worth a row: it runs, or tries to, or failed. What is merely loaded or has done its work
 * is not.
 */
export function isShown({ state, sub }: Pick<UnitStatus, 'state' | 'sub'>): boolean {
  return state === 'failed' || (state !== 'inactive' && sub !== 'exited');
}

/** @param patterns names as systemd globs, e.g. `checkbox@*.service`; failed units are always shown */
export function unitCollector(patterns: readonly string[]): Collector {
  let systemd: Systemd | undefined;
  let looked = Number.NEGATIVE_INFINITY;
  let usages = new Map<string, { usage: GroupUsage; restarts: number }>();

  async function connect(): Promise<Systemd> {
    const opened = await Systemd.open();
    opened.onEnd = () => {
      systemd = undefined;
    };
    await opened.subscribe();
    return opened;
  }

  async function look(seconds: number): Promise<Findings> {
    systemd ??= await connect();
    const all = await systemd.list(patterns);
    const shown = all.filter(isShown);
    const kept: typeof usages = new Map();
    const units = shown.map((status): Row<'units'> => {
      const known = usages.get(status.unit);
      const usage = known?.usage ?? new GroupUsage();
      kept.set(status.unit, { usage, restarts: status.restarts });
      const { cpuSeconds, memoryBytes } = usage.take(status.group);
      return {
        unit: status.unit,
        state: status.state,
        sub: status.sub,
        restarts: increase(known?.restarts, status.restarts) ?? 0,
        cpu: cpuSeconds === null || seconds <= 0 ? null : cpuSeconds / seconds,
        memory: memoryBytes,
      };
    });
    usages = kept;
    return { units, system: { units_failed: all.filter(({ state }) => state === 'failed').length } };
  }

  return {
    name: 'units',
    everySeconds: 0,
    collect(_, clock) {
      const seconds = (clock - looked) / 1000;
      if (systemd !== undefined && !systemd.changed && seconds < EVERY_SECONDS) return {};
      looked = clock;
      return look(Number.isFinite(seconds) ? seconds : 0);
    },
    close: () => systemd?.close(),
  };
}
