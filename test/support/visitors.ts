/**
 * Visitors of a site as browsers are: each keeps its cookies, comes back, and is as busy as a Zipf law says.
 * Bounded in count and time.
 */
import { Agent, request } from 'node:http';

export interface VisitorOptions {
  readonly address: string;
  /** Requests a second, of all together. */
  readonly rate: number;
  readonly visitors: number;
  /** Path by visitor and the request's number. */
  readonly path?: (visitor: number, count: number) => string;
  /** Share of visitors that refuse cookies. */
  readonly refuse?: number;
  /** Share of requests that are somebody's first. */
  readonly fresh?: number;
}

export interface VisitorCounts {
  requests: number;
  /** Answered with 5xx. */
  failed: number;
  /** Not answered at all. */
  dropped: number;
  /** Requests by the version that answered. */
  readonly versions: Map<string, number>;
  /** Visitors that met a second version, by the order in which they met them, e.g. `one two`. */
  readonly changes: Map<string, number>;
}

export interface Visitors {
  readonly counts: VisitorCounts;
  stop(): Promise<VisitorCounts>;
}

interface Visitor {
  readonly cookies: Map<string, string>;
  readonly refuses: boolean;
  readonly met: string[];
  count: number;
}

/** The service says which version answers by its text: `version one …`. */
export function startVisitors(options: VisitorOptions): Visitors {
  const { address, rate, visitors: size, path = () => '/', refuse = 0, fresh = 0.1 } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const counts: VisitorCounts = {
    requests: 0,
    failed: 0,
    dropped: 0,
    versions: new Map(),
    changes: new Map(),
  };
  const visitors: Visitor[] = Array.from({ length: size }, (_, index) => ({
    cookies: new Map(),
    refuses: index < size * refuse,
    met: [],
    count: 0,
  }));
  const weights = visitors.map((_, index) => 1 / (index + 1) ** 0.8);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const pick = () => {
    let at = Math.random() * total;
    for (const [index, weight] of weights.entries()) {
      at -= weight;
      if (at <= 0) return index;
    }
    return 0;
  };
  const under = new Set<Promise<void>>();
  const ask = (index: number) =>
    new Promise<void>((resolve) => {
      const visitor = visitors[index] as Visitor;
      // Somebody new takes the place of one who stays away.
      if (Math.random() < fresh) {
        visitor.cookies.clear();
        visitor.met.length = 0;
      }
      visitor.count += 1;
      counts.requests += 1;
      const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const headers = cookie === '' ? {} : { cookie };
      const asked = request({ host: address, path: path(index, visitor.count), headers, agent }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => {
          if ((answer.statusCode ?? 0) >= 500) counts.failed += 1;
          for (const line of visitor.refuses ? [] : (answer.headers['set-cookie'] ?? [])) {
            const [name = '', value = ''] = (line.split(';', 1)[0] ?? '').split('=');
            visitor.cookies.set(name, value);
          }
          note(counts, visitor, /version (\S+)/.exec(text)?.[1]);
          resolve();
        });
        answer.on('error', () => resolve());
      });
      asked.on('error', () => {
        counts.dropped += 1;
        resolve();
      });
      asked.end();
    });
  const began = performance.now();
  let due = 0;
  const timer = setInterval(() => {
    const wanted = ((performance.now() - began) / 1000) * rate;
    for (; due < wanted; due++) {
      const work = ask(pick());
      under.add(work);
      void work.then(() => under.delete(work));
    }
  }, 10);
  return {
    counts,
    async stop() {
      clearInterval(timer);
      await Promise.all(under);
      agent.destroy();
      return counts;
    },
  };
}

function note(counts: VisitorCounts, visitor: Visitor, version: string | undefined): void {
  if (version === undefined) return;
  counts.versions.set(version, (counts.versions.get(version) ?? 0) + 1);
  const last = visitor.met.at(-1);
  if (last === version) return;
  visitor.met.push(version);
  if (last === undefined || visitor.refuses) return;
  const change = visitor.met.join(' ');
  counts.changes.set(change, (counts.changes.get(change) ?? 0) + 1);
}
