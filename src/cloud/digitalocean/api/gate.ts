/**
 * Lets calls through: a few at a time, none while the API asks to wait, and one at first afterwards: only
 * the calls of a moment have left the API's window by then, so that all of them at once would be turned
 * down again.
 */
import type { Context } from '../../../context.ts';
import type { Clock } from './clock.ts';

/** Calls under way at once, at most. */
const WIDTH = 24;
const STAGE = 'API rate limit';

export class Gate {
  readonly #context: Context;
  readonly #clock: Clock;
  readonly #queue: (() => void)[] = [];
  #running = 0;
  #width = WIDTH;
  #openAt = 0;
  #waiting = false;

  constructor(context: Context, clock: Clock) {
    this.#context = context;
    this.#clock = clock;
  }

  async run<T>(call: () => Promise<T>): Promise<T> {
    await this.#enter();
    while (this.#clock.now() < this.#openAt) {
      this.#leave();
      await this.#untilOpen();
      await this.#enter();
    }
    try {
      this.#context.signal.throwIfAborted();
      const answer = await call();
      this.#width = Math.min(WIDTH, this.#width + 1);
      return answer;
    } finally {
      this.#leave();
    }
  }

  /** Holds every call back for so many milliseconds; `why` is shown. */
  pause(ms: number, why: string): void {
    const until = this.#clock.now() + ms + this.#clock.random() * Math.min(1_000, ms / 4);
    if (until <= this.#openAt) return;
    this.#openAt = until;
    this.#width = 1;
    this.#waiting = true;
    this.#context.progress({
      stage: STAGE,
      state: 'running',
      detail: `DigitalOcean asks to wait ${Math.ceil(ms / 1_000)} s${why === '' ? '' : ` (${why})`}`,
    });
  }

  #enter(): Promise<void> {
    return new Promise((resolve) => {
      this.#queue.push(resolve);
      this.#admit();
    });
  }

  #admit(): void {
    while (this.#running < this.#width && this.#queue.length > 0) {
      this.#running++;
      this.#queue.shift()?.();
    }
  }

  #leave(): void {
    this.#running--;
    this.#admit();
  }

  async #untilOpen(): Promise<void> {
    const left = () => this.#openAt - this.#clock.now();
    for (let wait = left(); wait > 0; wait = left()) await this.#clock.sleep(wait, this.#context.signal);
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#context.progress({ stage: STAGE, state: 'done' });
  }
}
