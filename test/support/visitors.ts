/**
 * Visitors of a site as browsers are: each keeps its cookies, comes back, and is as busy as a Zipf law
 * says. Some refuse cookies, some send made-up ones. Counts what they meet, and whether a rollout moves
 * them by its rules. Bounded in count and time.
 */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';

export interface VisitorOptions {
  readonly address: string;
  readonly port?: number;
  /** Requests a second, of all together. */
  readonly rate: number;
  readonly visitors: number;
  /** Path by visitor and the request's number. */
  readonly path?: (visitor: number, count: number) => string;
  /** Exponent: the visitor of rank n asks as often as 1 / n ** zipf says. */
  readonly zipf?: number;
  /** Share of visitors that refuse cookies. */
  readonly refuse?: number;
  /** Share of visitors that answer with made-up values of the cookies that they got. */
  readonly forge?: number;
  /** Share of requests that are somebody's first. */
  readonly fresh?: number;
  /** Ends by itself after so many seconds, or requests. */
  readonly seconds?: number;
  readonly requests?: number;
  /** Which version answers; by default the text says so: `version one …`. */
  readonly versionOf?: (answer: VisitorAnswer) => string | undefined;
  /** Versions of the rollout whose rules hold; absent: no rules. */
  readonly rules?: { readonly baseline: string; readonly candidate: string };
  /** Whoever meets this version leaves, and somebody new comes instead. */
  readonly leaves?: string;
  /** Ask again, as browsers do, where a kept connection was closed; default: yes. */
  readonly again?: boolean;
  /** From 0 to 1. */
  readonly random?: () => number;
}

export interface VisitorAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface VisitorCounts {
  requests: number;
  /** Answered with 5xx. */
  failed: number;
  /** Not answered, not in 20 s, or not to the end. */
  dropped: number;
  /** Sent again, since the kept connection was closed meanwhile. */
  again: number;
  /** Requests by the version that answered. */
  readonly versions: Map<string, number>;
  /** Visitors that met a second version, by the order in which they met them, e.g. `one two`. */
  readonly changes: Map<string, number>;
  /**
   * What was against the rules, with counts. A visitor may move to the candidate once. The first one who goes
   * back shows that the version was taken back: from then on nobody may get the candidate.
   */
  readonly broken: Map<string, number>;
}

export interface Visitors {
  readonly counts: VisitorCounts;
  /** Settles when their time, or the number of their requests, is over. */
  readonly ended: Promise<VisitorCounts>;
  /** Ends them now, and waits for what is under way. */
  stop(): Promise<VisitorCounts>;
}

interface Visitor {
  readonly index: number;
  readonly cookies: Map<string, string>;
  readonly kind: 'keeps' | 'refuses' | 'forges';
  readonly met: string[];
  /** When the last answer that counts had come. */
  metAt: number;
  count: number;
  /** A first request, whose answer brings the cookie: a second one would bring another. */
  awaited: boolean;
}

const ANSWER_MS = 20_000;
const DEFAULTS = { port: 80, zipf: 0.8, refuse: 0, forge: 0, fresh: 0.1, seconds: 900, requests: 1_000_000 };
const FORGED = [
  'candidate',
  'a'.repeat(17),
  'f'.repeat(3000),
  '../../w100/1.1',
  '%0d%0aX: y',
  '0'.repeat(16),
];

export function startVisitors(options: VisitorOptions): Visitors {
  return new Crowd(options);
}

type Settled = VisitorOptions &
  typeof DEFAULTS &
  Required<Pick<VisitorOptions, 'path' | 'versionOf' | 'random'>>;

class Crowd implements Visitors {
  readonly counts: VisitorCounts = {
    requests: 0,
    failed: 0,
    dropped: 0,
    again: 0,
    versions: new Map(),
    changes: new Map(),
    broken: new Map(),
  };
  readonly ended: Promise<VisitorCounts>;
  readonly #options: Settled;
  readonly #visitors: readonly Visitor[];
  /** Of each visitor and all before: where a random number falls. */
  readonly #sums: readonly number[];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #underWay = new Set<Promise<void>>();
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout;
  #over: () => void = () => {};
  /** When the first visitor had gone back. */
  #back = Number.POSITIVE_INFINITY;

  constructor(options: VisitorOptions) {
    this.#options = {
      ...DEFAULTS,
      path: () => '/',
      versionOf: ({ text }) => /version (\S+)/.exec(text)?.[1],
      again: true,
      random: Math.random,
      ...options,
    };
    const { visitors: size, refuse, forge, zipf } = this.#options;
    this.#visitors = Array.from({ length: size }, (_, index) => ({
      index,
      cookies: new Map(),
      kind: index < size * refuse ? 'refuses' : index < size * (refuse + forge) ? 'forges' : 'keeps',
      met: [],
      metAt: 0,
      count: 0,
      awaited: false,
    }));
    let sum = 0;
    this.#sums = this.#visitors.map((_, index) => {
      sum += 1 / (index + 1) ** zipf;
      return sum;
    });
    const over = new Promise<void>((resolve) => {
      this.#over = resolve;
    });
    this.ended = over.then(() => this.#finish());
    this.#timer = setInterval(() => this.#keepPace(), 10);
  }

  stop(): Promise<VisitorCounts> {
    this.#over();
    return this.ended;
  }

  async #finish(): Promise<VisitorCounts> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
    this.#agent.destroy();
    return this.counts;
  }

  #keepPace(): void {
    const { rate, seconds, requests } = this.#options;
    const passed = (performance.now() - this.#began) / 1000;
    const due = Math.min(requests, Math.floor(Math.min(passed, seconds) * rate));
    while (this.counts.requests < due) {
      const visitor = this.#pick();
      // All are waiting for their first answer: what is due comes later.
      if (visitor === undefined) break;
      const asked = this.#visit(visitor).finally(() => this.#underWay.delete(asked));
      this.#underWay.add(asked);
    }
    if (passed >= seconds || this.counts.requests >= requests) this.#over();
  }

  /** Somebody by the law, or next in rank to one who is waiting for the first answer. */
  #pick(): Visitor | undefined {
    const at = this.#options.random() * (this.#sums.at(-1) ?? 0);
    const size = this.#visitors.length;
    const first = this.#sums.findIndex((sum) => at < sum);
    for (let step = 0; step < size; step++) {
      const visitor = this.#visitors[(first + step) % size];
      if (visitor?.awaited === false) return visitor;
    }
    return undefined;
  }

  async #visit(visitor: Visitor): Promise<void> {
    // Somebody new takes the place of one who stays away.
    if (this.#options.random() < this.#options.fresh) leave(visitor);
    visitor.awaited = visitor.kind === 'keeps' && visitor.cookies.size === 0;
    visitor.count += 1;
    this.counts.requests += 1;
    const sent = performance.now();
    const answer = await this.#ask(visitor);
    visitor.awaited = false;
    if (answer === undefined) {
      this.counts.dropped += 1;
      return;
    }
    if (answer.status >= 500) this.counts.failed += 1;
    if (visitor.kind !== 'refuses') keepCookies(visitor, answer);
    const version = this.#options.versionOf(answer);
    if (version !== undefined) this.#note(visitor, version, sent);
    if (version !== undefined && version === this.#options.leaves) leave(visitor);
  }

  /** undefined: no whole answer. */
  #ask(visitor: Visitor): Promise<VisitorAnswer | undefined> {
    const { address, port, path } = this.#options;
    return new Promise((resolve) => {
      const asked = request(
        {
          host: address,
          port,
          path: path(visitor.index, visitor.count),
          headers: this.#cookiesOf(visitor),
          agent: this.#agent,
          signal: AbortSignal.timeout(ANSWER_MS),
        },
        (answer) => resolve(whole(answer)),
      );
      asked.on('error', () => {
        // nginx closes idle connections when its site changes: browsers ask again on a new one.
        if (!asked.reusedSocket || !this.#options.again) resolve(undefined);
        else {
          this.counts.again += 1;
          resolve(this.#ask(visitor));
        }
      });
      asked.end();
    });
  }

  #cookiesOf({ cookies, kind }: Visitor): { cookie?: string } {
    const forged = () => FORGED[Math.floor(this.#options.random() * FORGED.length)];
    const pairs = [...cookies].map(([name, value]) => `${name}=${kind === 'forges' ? forged() : value}`);
    return pairs.length === 0 ? {} : { cookie: pairs.join('; ') };
  }

  #note(visitor: Visitor, version: string, sent: number): void {
    const { rules } = this.#options;
    add(this.counts.versions, version);
    if (sent > this.#back && version === rules?.candidate)
      add(this.counts.broken, `${version} after the return`);
    // Of two requests at once, either may have come first.
    if (sent < visitor.metAt) return;
    visitor.metAt = performance.now();
    const last = visitor.met.at(-1);
    if (last === version) return;
    visitor.met.push(version);
    // The others are drawn anew for each request.
    if (last === undefined || visitor.kind !== 'keeps') return;
    const change = visitor.met.join(' ');
    add(this.counts.changes, change);
    if (rules === undefined) return;
    if (last === rules.candidate && version === rules.baseline)
      this.#back = Math.min(this.#back, performance.now());
    const { baseline, candidate } = rules;
    const allowed = [
      [baseline, candidate],
      [candidate, baseline],
      [baseline, candidate, baseline],
    ];
    if (!allowed.some((order) => order.join(' ') === change)) add(this.counts.broken, change);
  }
}

/** Somebody new takes his place. */
function leave(visitor: Visitor): void {
  visitor.cookies.clear();
  visitor.met.length = 0;
  visitor.metAt = performance.now();
}

function keepCookies(visitor: Visitor, { headers }: VisitorAnswer): void {
  for (const line of headers['set-cookie'] ?? []) {
    const [pair = ''] = line.split(';', 1);
    const at = pair.indexOf('=');
    visitor.cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

async function whole(answer: IncomingMessage): Promise<VisitorAnswer | undefined> {
  let text = '';
  try {
    for await (const part of answer.setEncoding('utf8')) text += part;
  } catch {
    // Broken off: whoever counts it as dropped sees that from there being no answer.
    return undefined;
  }
  return { status: answer.statusCode ?? 0, headers: answer.headers, text };
}

function add(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
