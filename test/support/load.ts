/**
 * A constant stream of requests against one address, whatever the answers do (open loop): what visitors are
 * like. Every request is sent once; nothing is repeated, so each one that is lost is seen.
 */
import { Agent, request } from 'node:http';

export interface LoadOptions {
  /** e.g. `http://10.77.1.11/preview`. */
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Requests a second. */
  readonly rate: number;
  /** Keep connections for later requests, as browsers do; else one connection for each request. */
  readonly keepAlive: boolean;
}

export interface LoadResult {
  readonly sent: number;
  /** Answered with 2xx, the whole body read. */
  readonly ok: number;
  /** What the others met, with counts: `status 502`, `ECONNRESET`. */
  readonly others: Readonly<Record<string, number>>;
  /** Milliseconds, of the answered ones. */
  readonly slowest: number;
}

/** Runs requests from now until `stop` is called, which waits for those under way. */
export function startLoad(options: LoadOptions): { stop(): Promise<LoadResult> } {
  const agent = new Agent({ keepAlive: options.keepAlive, maxSockets: 512 });
  const others: Record<string, number> = {};
  let sent = 0;
  let ok = 0;
  let slowest = 0;
  const underWay = new Set<Promise<void>>();
  const started = performance.now();

  const one = (): Promise<void> => {
    const began = performance.now();
    return new Promise<string>((resolve) => {
      const asked = request(
        options.url,
        {
          agent,
          method: options.method ?? 'GET',
          headers: { ...options.headers, 'content-length': Buffer.byteLength(options.body ?? '') },
          timeout: 20_000,
        },
        (answer) => {
          answer.resume();
          answer.on('end', () => {
            const status = answer.statusCode ?? 0;
            resolve(status >= 200 && status < 300 && answer.complete ? '' : `status ${status}`);
          });
          answer.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
        },
      );
      asked.on('timeout', () => asked.destroy(new Error('no answer in 20 s')));
      asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      asked.end(options.body);
    }).then((fault) => {
      if (fault === '') {
        ok++;
        slowest = Math.max(slowest, performance.now() - began);
      } else others[fault] = (others[fault] ?? 0) + 1;
    });
  };

  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - started) / 1000) * options.rate);
    while (sent < due) {
      sent++;
      const asked = one().finally(() => underWay.delete(asked));
      underWay.add(asked);
    }
  }, 5);

  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(underWay);
      agent.destroy();
      return { sent, ok, others, slowest };
    },
  };
}
