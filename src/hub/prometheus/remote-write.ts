/**
 * Forwards every sample to a store that takes Prometheus's remote write, for those who outgrow one machine.
 * Never holds the hub up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { compress } from 'snappyjs';
import { type HttpAddress, httpAddress } from '../../alerts/http-address.ts';
import type { Window } from '../../metrics/catalogue.ts';
import { redact } from '../../redact.ts';
import { gauges } from './families.ts';
import type { Totals } from './totals.ts';
import { type WritePoint, writeRequest } from './write-request.ts';

export interface RemoteWriteTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface RemoteWriteState {
  readonly queued: number;
  readonly sent: number;
  readonly dropped: number;
  /** Why the other store accepts nothing now; empty if all is well. */
  readonly trouble: string;
}

export interface RemoteWriteOptions extends RemoteWriteTarget {
  readonly totals: Totals;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
  /** Points that may queue: half a million is about five minutes of 20 hosts. */
  readonly mostQueued?: number;
  readonly firstDelayMs?: number;
}

const BATCH = 5000;
const LONGEST_DELAY_MS = 60_000;
const TIMEOUT_MS = 30_000;
const PAUSE_MS = 1000;

export class RemoteWrite {
  readonly #options: RemoteWriteOptions;
  readonly #address: HttpAddress;
  readonly #most: number;
  #queue: WritePoint[] = [];
  #sent = 0;
  #dropped = 0;
  #trouble = '';

  constructor(options: RemoteWriteOptions) {
    this.#options = options;
    this.#address = httpAddress(options.url, options.headers);
    this.#most = options.mostQueued ?? 500_000;
  }

  get state(): RemoteWriteState {
    return { queued: this.#queue.length, sent: this.#sent, dropped: this.#dropped, trouble: this.#trouble };
  }

  /**
   * Takes a window that was stored, routes summed up, its requests counted in the totals already.
   * The oldest points go where too many wait.
   */
  push(window: Window): void {
    const { host, at } = window;
    for (const { name, samples } of [...gauges([window]), ...this.#options.totals.families(host)])
      for (const { suffix = '', labels, value } of samples)
        this.#queue.push({ labels: { __name__: `${name}${suffix}`, ...labels }, value, at });
    const surplus = this.#queue.length - this.#most;
    if (surplus <= 0) return;
    this.#queue.splice(0, surplus);
    this.#dropped += surplus;
  }

  /** Until the signal. */
  async run(): Promise<void> {
    const { signal, firstDelayMs = 1000 } = this.#options;
    let delay = firstDelayMs;
    while (!signal.aborted) {
      const batch = this.#queue.splice(0, BATCH);
      if (batch.length === 0) {
        await sleep(Math.min(PAUSE_MS, firstDelayMs), undefined, { signal }).catch(() => {});
        continue;
      }
      const answer = await this.#send(batch);
      if (answer.kind === 'again') {
        this.#say(answer.why);
        // They go back to the front; newer points may have filled the queue meanwhile.
        const room = Math.max(0, this.#most - this.#queue.length);
        this.#dropped += Math.max(0, batch.length - room);
        this.#queue.unshift(...batch.slice(Math.max(0, batch.length - room)));
        await sleep(Math.max(delay, answer.afterMs), undefined, { signal }).catch(() => {});
        delay = Math.min(LONGEST_DELAY_MS, delay * 2);
        continue;
      }
      delay = firstDelayMs;
      if (answer.kind === 'refused') {
        this.#dropped += batch.length;
        this.#say(answer.why);
      } else {
        this.#sent += batch.length;
        this.#say('');
      }
    }
  }

  /** Once, when it becomes something else. */
  #say(why: string): void {
    // The other store may repeat what it was sent, and this text reaches the log and the dashboard.
    const trouble = redact(why, this.#address.secrets);
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#options.log(
      trouble === '' ? 'Remote write: samples are taken again.' : `Remote write: ${trouble}.`,
    );
  }

  async #send(
    batch: readonly WritePoint[],
  ): Promise<
    | { readonly kind: 'taken' }
    | { readonly kind: 'refused'; readonly why: string }
    | { readonly kind: 'again'; readonly why: string; readonly afterMs: number }
  > {
    const { signal } = this.#options;
    const { url, headers } = this.#address;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          ...headers,
          'content-type': 'application/x-protobuf',
          'content-encoding': 'snappy',
          'x-prometheus-remote-write-version': '0.1.0',
          'user-agent': 'pipeline-hub',
        },
        body: compress(writeRequest(batch)),
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      const text = (await response.text()).trim().slice(0, 1000);
      if (response.ok) return { kind: 'taken' };
      // Redact before cutting: half a secret is still a secret.
      const said = redact(text, this.#address.secrets).slice(0, 200);
      const quoted = said === '' ? '' : `: ${JSON.stringify(said)}`;
      const why = `the other store answers ${response.status}${quoted}`;
      // A request it rejects once, it will reject again.
      if (response.status < 500 && response.status !== 429) return { kind: 'refused', why };
      return { kind: 'again', why, afterMs: Number(response.headers.get('retry-after') ?? 0) * 1000 || 0 };
    } catch (error) {
      const { message, cause } = error as Error;
      const why = `the other store does not answer: ${cause instanceof Error ? cause.message : message}`;
      return { kind: 'again', why, afterMs: 0 };
    }
  }
}
