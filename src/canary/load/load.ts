/**
 * The load: requests at a constant arrival rate, whether or not answers come (open loop). Latency counts from
 * the moment a request was due, so a service that stalls cannot hide it by slowing the generator down (no
 * coordinated omission).
 */
import { randomUUID } from 'node:crypto';
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { seededUniform } from '../../judge/index.ts';
import { Histogram } from '../../metrics/histogram.ts';
import type { LoadSummary } from '../../report/document.ts';
import { weightedChoice } from './choose.ts';
import type { Timetable } from './replay.ts';

/** One kind of request. */
export interface LoadRequest {
  /** What reports call it. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
  readonly weight: number;
}

export interface LoadOptions {
  readonly address: string;
  readonly port: number;
  readonly requests: readonly LoadRequest[];
  /** Requests a second. */
  readonly rate: number;
  /** Which request is due when; absent: at constant distance, by weight. */
  readonly timetable?: Timetable | undefined;
  readonly seed: number;
  /** Milliseconds without an end after which a request is given up. */
  readonly timeoutMs: number;
  /** It ends by itself after so many milliseconds and requests, whatever happens to whoever started it. */
  readonly atMost: { readonly milliseconds: number; readonly requests: number };
  /** Response header that names the colour that answered. */
  readonly colourHeader: string;
  /** Request header for a random id, by which the proxy assigns the request. */
  readonly idHeader: string;
  readonly onAnswer: (answer: LoadAnswer) => void;
}

/** One answer. */
export interface LoadAnswer {
  /** Index of the request. */
  readonly request: number;
  /** Value of the colour header; empty where there was none. */
  readonly colour: string;
  readonly status: number;
  readonly body: Buffer;
}

export interface Load {
  /** When the first request was due, milliseconds since 1970. */
  readonly startedAt: number;
  /** So far. */
  summary(): LoadSummary;
  /**
   * Sends nothing more; resolves when everything under way has ended or `graceMs` have passed. Safe to call
   * twice.
   */
  stop(graceMs?: number): Promise<LoadSummary>;
}

/** Bytes of a body that are kept for comparison; what follows is read and dropped. */
const KEPT = 1024 * 1024;
/** Requests under way at once, at most: beyond, requests are skipped and counted. */
const MOST_UNDER_WAY = 2_000;

/** Starts the load. It never throws: what goes wrong is counted. */
export function startLoad(options: LoadOptions): Load {
  const load = new OpenLoop(options);
  load.begin();
  return load;
}

/** How a request ended. */
type Outcome = 'answered' | 'failed' | 'timedOut';

class OpenLoop implements Load {
  readonly startedAt = Date.now();
  readonly #options: LoadOptions;
  readonly #start = performance.now();
  /** Milliseconds from one request to the next. */
  readonly #interval: number;
  readonly #mostUnderWay: number;
  readonly #agent: Agent;
  readonly #choose: () => number;
  readonly #counts = { sent: 0, answered: 0, failed: 0, timedOut: 0, skipped: 0 };
  readonly #latency = new Histogram();
  readonly #lag = new Histogram();
  readonly #underWay = new Set<Attempt>();
  #due = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #whenIdle: (() => void) | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#interval = 1000 / options.rate;
    const during = Math.ceil((options.rate * options.timeoutMs) / 1000) + 64;
    this.#mostUnderWay = Math.min(MOST_UNDER_WAY, during);
    this.#agent = new Agent({ keepAlive: true, maxSockets: this.#mostUnderWay, scheduling: 'lifo' });
    this.#choose = weightedChoice(
      options.requests.map(({ weight }) => weight),
      seededUniform(options.seed),
    );
  }

  /** Sends what is due by now, and comes back when the next request is. */
  begin(): void {
    const now = performance.now();
    while (!this.#stopped && this.#nextAt() <= now) {
      if (this.#isOver()) this.#stopped = true;
      else this.#sendNext();
    }
    if (this.#stopped) this.#settle();
    else this.#timer = setTimeout(() => this.begin(), Math.max(0, this.#nextAt() - performance.now()));
  }

  summary(): LoadSummary {
    const plain = (histogram: Histogram) => ({ zero: histogram.zero, counts: histogram.data().counts });
    return { ...this.#counts, latency: plain(this.#latency), lag: plain(this.#lag) };
  }

  async stop(graceMs = 2_000): Promise<LoadSummary> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    if (this.#underWay.size > 0) await this.#untilIdle(graceMs);
    this.#agent.destroy();
    return this.summary();
  }

  #nextAt(): number {
    return this.#start + this.#nextAfter();
  }

  /** Milliseconds after the start at which the next request is due. */
  #nextAfter(): number {
    const { timetable } = this.#options;
    if (timetable === undefined) return this.#due * this.#interval;
    const { due, span } = timetable;
    return Math.floor(this.#due / due.length) * span + (due[this.#due % due.length] ?? 0);
  }

  #isOver(): boolean {
    const { requests, milliseconds } = this.#options.atMost;
    return this.#due >= requests || this.#nextAfter() >= milliseconds;
  }

  #sendNext(): void {
    const dueAt = this.#nextAt();
    const listed = this.#options.timetable?.request;
    const index = listed === undefined ? this.#choose() : (listed[this.#due % listed.length] ?? 0);
    this.#due++;
    if (this.#underWay.size >= this.#mostUnderWay) {
      this.#counts.skipped++;
      return;
    }
    if (this.#options.requests[index] === undefined) return;
    this.#counts.sent++;
    this.#lag.record(performance.now() - dueAt);
    this.#attempt(index, dueAt);
  }

  #attempt(index: number, dueAt: number, again = false): void {
    const attempt = new Attempt(this.#options, this.#agent, index, dueAt, (outcome) => {
      this.#underWay.delete(attempt);
      if (outcome === 'unsent' && !again) {
        this.#attempt(index, dueAt, true);
        return;
      }
      this.#count(outcome === 'unsent' ? 'failed' : outcome, dueAt);
    });
    this.#underWay.add(attempt);
    attempt.send();
  }

  #count(outcome: Outcome, dueAt: number): void {
    this.#counts[outcome]++;
    if (outcome !== 'failed') this.#latency.record(performance.now() - dueAt);
    this.#settle();
  }

  #settle(): void {
    if (!this.#stopped || this.#underWay.size > 0) return;
    this.#agent.destroy();
    this.#whenIdle?.();
  }

  #untilIdle(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const patience = setTimeout(() => {
        for (const attempt of [...this.#underWay]) attempt.giveUp();
        resolve();
      }, graceMs);
      this.#whenIdle = () => {
        clearTimeout(patience);
        resolve();
      };
    });
  }
}

/** One request on its way; it ends once, as the first of answer, fault and deadline says. */
class Attempt {
  readonly #options: LoadOptions;
  readonly #index: number;
  readonly #request: ClientRequest;
  readonly #deadline: NodeJS.Timeout;
  readonly #onEnd: (outcome: Outcome | 'unsent') => void;
  #ended = false;

  constructor(
    options: LoadOptions,
    agent: Agent,
    index: number,
    dueAt: number,
    onEnd: (outcome: Outcome | 'unsent') => void,
  ) {
    this.#options = options;
    this.#index = index;
    this.#onEnd = onEnd;
    this.#request = outgoing(options, agent, this.#wanted);
    const left = options.timeoutMs - (performance.now() - dueAt);
    this.#deadline = setTimeout(() => this.giveUp(), Math.max(1, left));
    this.#request.on('response', (answer) => this.#onResponse(answer));
    this.#request.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
  }

  get #wanted(): LoadRequest {
    const wanted = this.#options.requests[this.#index];
    if (wanted === undefined) throw new Error(`the load has no request ${this.#index}`);
    return wanted;
  }

  send(): void {
    this.#request.end(this.#wanted.body ?? undefined);
  }

  giveUp(): void {
    this.#end('timedOut');
    this.#request.destroy();
  }

  #end(outcome: Outcome | 'unsent'): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#deadline);
    this.#onEnd(outcome);
  }

  #onResponse(answer: IncomingMessage): void {
    collect(answer, (body) => {
      if (this.#ended) return;
      this.#end('answered');
      const colour = answer.headers[this.#options.colourHeader];
      this.#options.onAnswer({
        request: this.#index,
        colour: typeof colour === 'string' ? colour : '',
        status: answer.statusCode ?? 0,
        body,
      });
    });
    answer.on('error', () => this.#end('failed'));
  }

  /** An idle connection that closed just when it was to be used again: the request never arrived there. */
  #onError(error: NodeJS.ErrnoException): void {
    const neverArrived = this.#request.reusedSocket && error.code === 'ECONNRESET';
    this.#end(neverArrived ? 'unsent' : 'failed');
  }
}

function outgoing(options: LoadOptions, agent: Agent, wanted: LoadRequest): ClientRequest {
  return httpRequest({
    agent,
    host: options.address,
    port: options.port,
    method: wanted.method,
    path: wanted.path,
    headers: {
      ...wanted.headers,
      [options.idHeader]: randomUUID(),
      ...(wanted.body === null ? {} : { 'content-length': wanted.body.length }),
    },
  });
}

/** The body, up to `KEPT` bytes; called at the end of a complete answer only. */
function collect(answer: IncomingMessage, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let kept = 0;
  answer.on('data', (chunk: Buffer) => {
    if (kept >= KEPT) return;
    chunks.push(chunk.subarray(0, KEPT - kept));
    kept += Math.min(chunk.length, KEPT - kept);
  });
  answer.on('end', () => done(Buffer.concat(chunks)));
}
