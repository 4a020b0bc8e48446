/**
 * One sample from all collectors: asks those that are due, waits for none, and reports what each could not
 * do.
 */
import type { Row, Tables } from '../metrics/catalogue.ts';
import { type Collector, combine, type Findings } from './collector.ts';

interface Slot {
  readonly collector: Collector;
  /** When it looked last; undefined before its first look. */
  looked: number | undefined;
  busy: boolean;
  /** What is wrong with it now. */
  problem: string | undefined;
}

export class Sampler {
  readonly #slots: readonly Slot[];
  readonly #log: (line: string) => void;
  /** What came in since the last sample. */
  #findings: Findings[] = [];
  #reported = Number.NEGATIVE_INFINITY;

  /** @param log one sentence for the journal, when a problem begins and when it ends */
  constructor(collectors: readonly Collector[], log: (line: string) => void) {
    this.#slots = collectors.map((collector) => ({
      collector,
      looked: undefined,
      busy: false,
      problem: undefined,
    }));
    this.#log = log;
  }

  /**
   * Everything that was found since the last sample.
   * @param clock milliseconds of a clock that is never set
   */
  sample(clock: number): Tables {
    for (const slot of this.#slots) {
      const sinceLook = slot.looked === undefined ? undefined : (clock - slot.looked) / 1000;
      // A tick may come a little early.
      if (slot.busy || (sinceLook !== undefined && sinceLook < slot.collector.everySeconds - 0.1)) continue;
      slot.looked = clock;
      this.#look(slot, sinceLook ?? 0, clock);
    }
    const findings = this.#findings;
    this.#findings = [];
    return combine([...findings, { problems: this.#problems(clock) }]);
  }

  close(): void {
    for (const { collector } of this.#slots) collector.close?.();
  }

  #look(slot: Slot, seconds: number, clock: number): void {
    try {
      const found = slot.collector.collect(seconds, clock);
      if (found instanceof Promise) this.#await(slot, found);
      else this.#found(slot, found);
    } catch (error) {
      this.#failed(slot, error as Error);
    }
  }

  #await(slot: Slot, promise: Promise<Findings>): void {
    slot.busy = true;
    promise
      .then(
        (late) => this.#found(slot, late),
        (error: Error) => this.#failed(slot, error),
      )
      .finally(() => {
        slot.busy = false;
      });
  }

  #found(slot: Slot, findings: Findings): void {
    if (slot.problem !== undefined) this.#log(`${slot.collector.name} works again.`);
    slot.problem = undefined;
    this.#findings.push(findings);
  }

  #failed(slot: Slot, error: Error): void {
    if (slot.problem !== error.message)
      this.#log(`${slot.collector.name} could not be measured: ${error.message}`);
    slot.problem = error.message;
  }

  /** Problems, once a minute while they last. */
  #problems(clock: number): Row<'problems'>[] {
    if (clock - this.#reported < 60_000) return [];
    const problems = this.#slots
      .filter((slot) => slot.problem !== undefined)
      .map(({ collector, problem }) => ({ source: collector.name, message: problem ?? '' }));
    if (problems.length > 0) this.#reported = clock;
    return problems;
  }
}
