/**
 * What asks a release to end early: a signal, or a reader that has gone. After `keepGoing` nothing does.
 */
import type { Host } from './host.ts';

/** The program was asked to end, and exits with this code. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;
  constructor(exitCode: number) {
    super('asked to end');
    this.exitCode = exitCode;
  }
}

export class Interrupt {
  #code: number | undefined;
  #deaf = false;
  readonly #waiting = new Set<(error: Interrupted) => void>();

  /** The first request counts. */
  request(exitCode: number): void {
    if (this.#deaf || this.#code !== undefined) return;
    this.#code = exitCode;
    for (const reject of this.#waiting) reject(new Interrupted(exitCode));
  }

  /** Finishes, whoever asks it to end. */
  keepGoing(): void {
    this.#deaf = true;
  }

  check(): void {
    if (this.#code !== undefined && !this.#deaf) throw new Interrupted(this.#code);
  }

  /** Waits, but no longer than until the end is asked for. */
  async race<T>(work: Promise<T>): Promise<T> {
    this.check();
    let forget = () => {};
    const asked = new Promise<never>((_, reject) => {
      this.#waiting.add(reject);
      forget = () => this.#waiting.delete(reject);
    });
    try {
      return await Promise.race([work, asked]);
    } finally {
      forget();
    }
  }
}

/** The same host, which starts nothing once the end is asked for. Sleeps and hooks end at once. */
export function interruptible(host: Host, interrupt: Interrupt): Host {
  return new Proxy(host, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]) => {
        if (name === 'now' || name === 'journalTime') return value.apply(target, args);
        interrupt.check();
        const work = value.apply(target, args);
        return name === 'sleep' || name === 'hook' ? interrupt.race(work) : work;
      };
    },
  });
}
