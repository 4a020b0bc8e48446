/**
 * Messages on their way. Each place has a queue of its own, so that one that hangs holds up no other and
 * nothing overtakes; what waits is kept, so that a restart loses none.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { deliver, nameOf, reason, type Target } from './deliver.ts';
import type { Notice } from './types.ts';

export interface OutboxOptions {
  readonly targets: readonly Target[];
  readonly dashboard: string | undefined;
  /** Keeps what waits under an id; without text: forgets it. Must not throw. */
  readonly keep: (id: string, text?: string) => void;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
  readonly now?: () => number;
  readonly deliver?: typeof deliver;
  /** Milliseconds between attempts: at first, doubled up to the longest. */
  readonly delays?: { readonly first: number; readonly longest: number };
}

interface Waiting {
  readonly id: string;
  readonly notice: Notice;
}

/** News of an hour ago is none: the dashboard has it. */
const GIVE_UP_MS = 3_600_000;
/** As many go into one message when a place answers again. */
const BATCH = 50;
const LONGEST_QUEUE = 500;
const DELAYS = { first: 2000, longest: 60_000 };

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #queues: Waiting[][];
  readonly #busy = new Set<number>();
  #count = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#queues = options.targets.map(() => []);
  }

  /** Goes on with what an earlier hub kept. */
  restore(kept: Readonly<Record<string, string>>): void {
    const names = this.#options.targets.map((target) => JSON.stringify(target));
    const waiting = Object.entries(kept).map(([id, text]) => ({ id, ...(JSON.parse(text) as Kept) }));
    for (const { id, target, notice } of waiting.sort((a, b) => a.notice.at - b.notice.at)) {
      const index = names.findIndex((name) => fingerprint(name) === target);
      // The place is no longer in the configuration.
      if (index === -1) this.#options.keep(id);
      else this.#queue(index, { id, notice });
    }
  }

  add(notice: Notice): void {
    this.#options.targets.forEach((target, index) => {
      const id = `${notice.at}-${process.pid}-${this.#count++}`;
      this.#options.keep(id, JSON.stringify({ target: fingerprint(JSON.stringify(target)), notice }));
      this.#queue(index, { id, notice });
    });
  }

  #queue(index: number, waiting: Waiting): void {
    const queue = this.#queues[index];
    if (queue === undefined) return;
    queue.push(waiting);
    if (queue.length > LONGEST_QUEUE) this.#forget(queue, queue.slice(0, 1));
    if (!this.#busy.has(index)) void this.#work(index, queue);
  }

  /** Empties one queue. */
  async #work(index: number, queue: Waiting[]): Promise<void> {
    const { targets, dashboard, log, signal, now = Date.now, delays = DELAYS } = this.#options;
    const target = targets[index];
    if (target === undefined) return;
    const send = this.#options.deliver ?? deliver;
    this.#busy.add(index);
    let attempt = 0;
    while (queue.length > 0 && !signal.aborted) {
      const batch = queue.slice(0, 'webhook' in target ? 1 : BATCH);
      try {
        await send(
          target,
          batch.map(({ notice }) => notice),
          dashboard,
        );
        if (attempt > 0) log(`${nameOf(target)} takes messages again.`);
        attempt = 0;
        this.#forget(queue, batch);
      } catch (error) {
        if (attempt === 0)
          log(`${nameOf(target)} did not take a message and is tried again: ${reason(error)}.`);
        const old = queue.filter(({ notice }) => now() - notice.at > GIVE_UP_MS);
        if (old.length > 0) log(`${nameOf(target)} took no message for an hour: ${old.length} are given up.`);
        this.#forget(queue, old);
        const delay = Math.min(delays.longest, delays.first * 2 ** attempt++);
        await sleep(delay, undefined, { signal }).catch(() => {});
      }
    }
    this.#busy.delete(index);
  }

  #forget(queue: Waiting[], done: readonly Waiting[]): void {
    for (const one of done) {
      const at = queue.indexOf(one);
      if (at !== -1) queue.splice(at, 1);
      this.#options.keep(one.id);
    }
  }
}

interface Kept {
  readonly target: string;
  readonly notice: Notice;
}

/** Tells a place without its address, which is a secret and belongs into no database. */
function fingerprint(target: string): string {
  return createHash('sha256').update(target).digest('hex').slice(0, 16);
}
