/**
 * The load: requests at a constant arrival rate, whether or not answers come (open loop). Latency counts from the moment a request was
 * due, so a service that stalls cannot hide it by slowing the generator down (no coordinated omission).
 */
import { randomUUID } from 'node:crypto';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Histogram } from '../../metrics/histogram.ts';
import type { LoadSummary } from '../../report/document.ts';
import { seededRandom, weightedChoice } from './choose.ts';

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
  readonly seed: number;
  /** Milliseconds without an end after which a request is given up. */
  readonly timeoutMs: number;
  /** It ends by itself after so many milliseconds and requests, whatever happens to whoever started it. */
  readonly atMost: { readonly milliseconds: number; readonly requests: number };
  /** Response header that names the variant. */
  readonly variantHeader: string;
  /** Request header for a random id, by which the proxy assigns the request. */
  readonly idHeader: string;
  readonly onAnswer: (answer: LoadAnswer) => void;
}

/** One answer. */
export interface LoadAnswer {
  /** Index of the request. */
  readonly request: number;
  /** Value of the variant header; empty where there was none. */
  readonly variant: string;
  readonly status: number;
  readonly body: Buffer;
}

export interface Load {
  /** When the first request was due, milliseconds since 1970. */
  readonly startedAt: number;
  /** So far. */
  summary(): LoadSummary;
  /** Sends nothing more; resolves when everything under way has ended or `graceMs` have passed. Safe to call twice. */
  stop(graceMs?: number): Promise<LoadSummary>;
}

/** Bytes of a body that are kept for comparison; what follows is read and dropped. */
const KEPT = 1024 * 1024;
/** Requests under way at once, at most: beyond, requests are skipped and counted. */
const MOST_UNDER_WAY = 2_000;

/** Starts the load. It never throws: what goes wrong is counted. */
export function startLoad(options: LoadOptions): Load {
  const { requests, rate, atMost, timeoutMs } = options;
  const interval = 1000 / rate;
  const mostUnderWay = Math.min(MOST_UNDER_WAY, Math.ceil((rate * timeoutMs) / 1000) + 64);
  const agent = new Agent({ keepAlive: true, maxSockets: mostUnderWay, scheduling: 'lifo' });
  const choose = weightedChoice(
    requests.map(({ weight }) => weight),
    seededRandom(options.seed),
  );
  const counts = { sent: 0, answered: 0, failed: 0, timedOut: 0, skipped: 0 };
  const latency = new Histogram();
  const lag = new Histogram();
  const underWay = new Set<() => void>();
  const startedAt = Date.now();
  const start = performance.now();
  let due = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let idle: (() => void) | undefined;

  function tick(): void {
    const now = performance.now();
    while (!stopped && start + due * interval <= now) {
      if (due >= atMost.requests || due * interval >= atMost.milliseconds) {
        stopped = true;
        break;
      }
      const dueAt = start + due * interval;
      due++;
      if (underWay.size >= mostUnderWay) counts.skipped++;
      else send(choose(), dueAt);
    }
    if (stopped) settle();
    else timer = setTimeout(tick, Math.max(0, start + due * interval - performance.now()));
  }

  function send(index: number, dueAt: number, again = false): void {
    const wanted = requests[index];
    if (wanted === undefined) return;
    if (!again) {
      counts.sent++;
      lag.record(performance.now() - dueAt);
    }
    let ended = false;
    const end = (outcome: 'answered' | 'failed' | 'timedOut') => {
      if (ended) return;
      ended = true;
      clearTimeout(deadline);
      underWay.delete(giveUp);
      counts[outcome]++;
      if (outcome !== 'failed') latency.record(performance.now() - dueAt);
      settle();
    };
    const outgoing = httpRequest({
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
    const giveUp = () => {
      end('timedOut');
      outgoing.destroy();
    };
    const deadline = setTimeout(giveUp, Math.max(1, timeoutMs - (performance.now() - dueAt)));
    underWay.add(giveUp);
    outgoing.on('response', (answer) => {
      collect(answer, (body) => {
        if (ended) return;
        end('answered');
        const variant = answer.headers[options.variantHeader];
        options.onAnswer({
          request: index,
          variant: typeof variant === 'string' ? variant : '',
          status: answer.statusCode ?? 0,
          body,
        });
      });
      answer.on('error', () => end('failed'));
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // The server closed an idle connection just when it was to be used again: the request never arrived there.
      if (!ended && !again && outgoing.reusedSocket && error.code === 'ECONNRESET') {
        ended = true;
        clearTimeout(deadline);
        underWay.delete(giveUp);
        send(index, dueAt, true);
        return;
      }
      end('failed');
    });
    outgoing.end(wanted.body ?? undefined);
  }

  function settle(): void {
    if (!stopped || underWay.size > 0) return;
    agent.destroy();
    idle?.();
  }

  function summary(): LoadSummary {
    const plain = (histogram: Histogram) => ({ zero: histogram.zero, counts: histogram.data().counts });
    return { ...counts, latency: plain(latency), lag: plain(lag) };
  }

  tick();
  return {
    startedAt,
    summary,
    async stop(graceMs = 2_000) {
      stopped = true;
      clearTimeout(timer);
      if (underWay.size > 0) {
        await new Promise<void>((resolve) => {
          const patience = setTimeout(() => {
            for (const giveUp of [...underWay]) giveUp();
            resolve();
          }, graceMs);
          idle = () => {
            clearTimeout(patience);
            resolve();
          };
        });
      }
      agent.destroy();
      return summary();
    },
  };
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
