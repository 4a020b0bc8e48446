/** Processor time and memory of a process, from /proc. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

export class Measured {
  readonly #pid: number;
  #begin = { at: 0, ticks: 0 };
  #end = { at: 0, ticks: 0 };

  constructor(pid: number) {
    this.#pid = pid;
  }

  begin(): void {
    this.#begin = this.#look();
  }

  end(): void {
    this.#end = this.#look();
  }

  /** Processor time between begin and end. */
  seconds(): number {
    return (this.#end.ticks - this.#begin.ticks) / TICKS;
  }

  /** Share of a core between begin and end. */
  share(): number {
    return this.seconds() / ((this.#end.at - this.#begin.at) / 1000);
  }

  /** Resident memory now, bytes. */
  rss(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.#pid}/status`, 'utf8'))?.[1]) * 1024;
  }

  #look() {
    const stat = readFileSync(`/proc/${this.#pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { at: performance.now(), ticks: Number(fields[11]) + Number(fields[12]) };
  }
}
