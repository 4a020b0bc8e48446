/** Limits attempts per key, in bounded memory. */
interface Tries {
  count: number;
  since: number;
}

export class RateLimit {
  readonly #tries = new Map<string, Tries>();
  readonly #most: number;
  readonly #windowMs: number;

  constructor(most: number, windowMs: number) {
    this.#most = most;
    this.#windowMs = windowMs;
  }

  /** Seconds to wait; 0 where another try is allowed. */
  waitSeconds(key: string, now: number): number {
    const tries = this.#tries.get(key);
    if (tries === undefined || now - tries.since >= this.#windowMs || tries.count < this.#most) return 0;
    return Math.ceil((tries.since + this.#windowMs - now) / 1000);
  }

  count(key: string, now: number): void {
    const tries = this.#tries.get(key);
    if (tries === undefined || now - tries.since >= this.#windowMs) {
      this.#tries.delete(key);
      this.#tries.set(key, { count: 1, since: now });
    } else tries.count++;
    if (this.#tries.size > 10_000) this.#tries.delete(this.#tries.keys().next().value ?? '');
  }

  /** Takes one try back. */
  uncount(key: string): void {
    const tries = this.#tries.get(key);
    if (tries !== undefined) tries.count--;
  }

  forget(key: string): void {
    this.#tries.delete(key);
  }
}
