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
import type { LoadFlow, LoadRequest } from './step.ts';
import { type SeenAnswer, Visitor } from './visitor.ts';

export interface LoadOptions {
  readonly address: string;
  readonly port: number;
  readonly requests: readonly LoadRequest[];
  readonly flows?: readonly LoadFlow[] | undefined;
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
  /** A visitor came to the end of a flow, or could not go on. */
  readonly onVisit?: ((visit: LoadVisit) => void) | undefined;
}

/** How far a visitor came. */
export interface LoadVisit {
  /** Index of the flow. */
  readonly flow: number;
  /** Of the last answer; empty where there was none. */
  readonly colour: string;
  /** The step that ended it; null: it came to the end. */
  readonly endedAt: string | null;
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

/** One request by itself, or a visitor in the middle of a flow. */
interface Visit {
  readonly visitor: Visitor;
  readonly flow: number | null;
  readonly steps: readonly number[];
  /** Position in `steps` of the request that is under way. */
  at: number;
  colour: string;
}

class OpenLoop implements Load {
  readonly startedAt = Date.now();
  readonly #options: LoadOptions;
  readonly #start = performance.now();
  /** Milliseconds from one request to the next. */
  readonly #interval: number;
  readonly #mostUnderWay: number;
  readonly #agent: Agent;
  /** Below the number of requests: a request by itself; from there on: a flow. */
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
    this.#interval = (1000 * meanSteps(options)) / options.rate;
    const during = Math.ceil((options.rate * options.timeoutMs) / 1000) + 64;
    this.#mostUnderWay = Math.min(MOST_UNDER_WAY, during);
    this.#agent = new Agent({ keepAlive: true, maxSockets: this.#mostUnderWay, scheduling: 'lifo' });
    this.#choose = weightedChoice(
      [...options.requests, ...(options.flows ?? [])].map(({ weight }) => weight),
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
    const flow = index - this.#options.requests.length;
    const steps = flow < 0 ? [index] : (this.#options.flows?.[flow]?.steps ?? []);
    this.#lag.record(performance.now() - dueAt);
    const visitor = new Visitor(randomUUID());
    this.#send({ visitor, flow: flow < 0 ? null : flow, steps, at: 0, colour: '' }, dueAt);
  }

  #send(visit: Visit, dueAt: number): void {
    this.#counts.sent++;
    this.#attempt(visit, dueAt);
  }

  #attempt(visit: Visit, dueAt: number, again = false): void {
    const index = visit.steps[visit.at] ?? 0;
    const wanted = this.#options.requests[index];
    if (wanted === undefined) throw new Error(`the load has no request ${index}`);
    const outgoing = visit.flow === null ? wanted : visit.visitor.fill(wanted);
    const { id } = visit.visitor;
    const attempt = new Attempt(
      { options: this.#options, agent: this.#agent, outgoing, id, dueAt },
      (end) => {
        this.#underWay.delete(attempt);
        if (end.outcome === 'unsent' && !again) {
          this.#attempt(visit, dueAt, true);
          return;
        }
        if (end.answer !== undefined) this.#onAnswer(visit, index, end.answer);
        this.#follow(visit, wanted, end.answer);
        this.#count(end.outcome === 'unsent' ? 'failed' : end.outcome, dueAt);
      },
    );
    this.#underWay.add(attempt);
    attempt.send();
  }

  #onAnswer(visit: Visit, request: number, { headers, status, body }: SeenAnswer): void {
    const colour = headers[this.#options.colourHeader];
    visit.colour = typeof colour === 'string' ? colour : '';
    this.#options.onAnswer({ request, colour: visit.colour, status, body });
  }

  /** The visitor's next step, where there is one and the answer lets it go on. */
  #follow(visit: Visit, step: LoadRequest, answer: SeenAnswer | undefined): void {
    // What is cut off at the end says nothing of the version.
    if (visit.flow === null || (this.#stopped && answer === undefined)) return;
    const { flow, colour } = visit;
    const goesOn = answer !== undefined && visit.visitor.take(step, answer);
    const isLast = visit.at + 1 >= visit.steps.length;
    if (!goesOn || isLast) {
      this.#options.onVisit?.({ flow, colour, endedAt: goesOn ? null : step.name });
      return;
    }
    if (this.#stopped) return;
    visit.at++;
    this.#send(visit, performance.now());
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

/** Requests that one arrival makes on average: flows make several. */
function meanSteps({ requests, flows = [] }: LoadOptions): number {
  const units = [...requests.map(({ weight }) => ({ weight, steps: 1 }))];
  for (const { weight, steps } of flows) units.push({ weight, steps: steps.length });
  const total = units.reduce((sum, { weight }) => sum + weight, 0);
  return total === 0 ? 1 : units.reduce((sum, { weight, steps }) => sum + weight * steps, 0) / total;
}

/** How a request ended, with its answer where one came whole. */
interface AttemptEnd {
  readonly outcome: Outcome | 'unsent';
  readonly answer?: SeenAnswer | undefined;
}

interface Outgoing {
  readonly options: LoadOptions;
  readonly agent: Agent;
  readonly outgoing: LoadRequest;
  /** By which the proxy assigns it. */
  readonly id: string;
  readonly dueAt: number;
}

/** One request on its way; it ends once, as the first of answer, fault and deadline says. */
class Attempt {
  readonly #body: Buffer | null;
  readonly #request: ClientRequest;
  readonly #deadline: NodeJS.Timeout;
  readonly #onEnd: (end: AttemptEnd) => void;
  #ended = false;

  constructor(way: Outgoing, onEnd: (end: AttemptEnd) => void) {
    this.#onEnd = onEnd;
    this.#body = way.outgoing.body;
    this.#request = requestFor(way);
    const left = way.options.timeoutMs - (performance.now() - way.dueAt);
    this.#deadline = setTimeout(() => this.giveUp(), Math.max(1, left));
    this.#request.on('response', (answer) => this.#onResponse(answer));
    this.#request.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
  }

  send(): void {
    this.#request.end(this.#body ?? undefined);
  }

  giveUp(): void {
    this.#end({ outcome: 'timedOut' });
    this.#request.destroy();
  }

  #end(end: AttemptEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#deadline);
    this.#onEnd(end);
  }

  #onResponse(answer: IncomingMessage): void {
    collect(answer, (body) => {
      const { headers, statusCode: status = 0 } = answer;
      this.#end({ outcome: 'answered', answer: { headers, status, body } });
    });
    answer.on('error', () => this.#end({ outcome: 'failed' }));
  }

  /** An idle connection that closed just when it was to be used again: the request never arrived there. */
  #onError(error: NodeJS.ErrnoException): void {
    const neverArrived = this.#request.reusedSocket && error.code === 'ECONNRESET';
    this.#end({ outcome: neverArrived ? 'unsent' : 'failed' });
  }
}

function requestFor({ options, agent, outgoing, id }: Outgoing): ClientRequest {
  return httpRequest({
    agent,
    host: options.address,
    port: options.port,
    method: outgoing.method,
    path: outgoing.path,
    headers: {
      ...outgoing.headers,
      [options.idHeader]: id,
      ...(outgoing.body === null ? {} : { 'content-length': outgoing.body.length }),
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
