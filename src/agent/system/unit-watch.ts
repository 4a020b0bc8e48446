/** One systemd unit, watched closely: what the canary needs to know of a side. */
import type { UnitLine } from '../../metrics/live.ts';
import { GroupUsage } from './cgroup.ts';
import { JournalCounter } from './journal.ts';
import { Systemd } from './systemd.ts';

export class UnitWatch {
  readonly #unit: string;
  readonly #systemd: Systemd;
  readonly #journal: JournalCounter;
  readonly #usage = new GroupUsage();

  private constructor(unit: string, systemd: Systemd) {
    this.#unit = unit;
    this.#systemd = systemd;
    this.#journal = new JournalCounter(unit);
  }

  static async open(unit: string): Promise<UnitWatch> {
    const watch = new UnitWatch(unit, await Systemd.open());
    await watch.take(); // so that the first interval begins here
    return watch;
  }

  /** What happened since the last call. */
  async take(): Promise<Omit<UnitLine, 'kind' | 'at' | 'seconds'>> {
    const { unit, state, sub, restarts, group } = await this.#systemd.status(this.#unit);
    const { lines, errors } = this.#journal.take();
    return { unit, state, sub, restarts, ...this.#usage.take(group), logLines: lines, errorLines: errors };
  }

  close(): void {
    this.#journal.close();
    this.#systemd.close();
  }
}
