/**
 * A site with visitors: some come back and are as busy as a Zipf law says, others are new. Each has his own
 * data, which makes him slow or lets him fail. Load drifts; processes pause, together and each by itself.
 */
import type { Random } from '../judge/random.ts';

export interface World {
  /** Sessions that begin in a second, on average. */
  readonly sessions: number;
  /** Visitors who come again and again. */
  readonly regulars: number;
  /** Share of sessions that are theirs. */
  readonly regularShare: number;
  /** Exponent of their Zipf law. */
  readonly zipf: number;
  /** Share of visitors whose data fails now and then. */
  readonly unlucky: number;
  /** Seconds between failures of something that both versions need, on average; absent: none. */
  readonly outages?: number;
  /** Requests are dealt, not visitors. */
  readonly byRequest?: boolean;
}

/** What a version does. */
export interface Version {
  /** Share of requests that fail besides those of the unlucky. */
  readonly errors: number;
  readonly slower: number;
  /** Factor for the slowest hundredth of each visitor's answers. */
  readonly tail: number;
  /** Factor for the slowest hundredth of all. */
  readonly slowest: number;
  /** Share of visitors who leave at the first page. */
  readonly leave: number;
}

export const SAME: Version = { errors: 0, slower: 1, tail: 1, slowest: 1, leave: 0 };

export interface Request {
  readonly visitor: number;
  readonly isNew: boolean;
  readonly side: 'baseline' | 'candidate';
  readonly failed: boolean;
  readonly ms: number;
}

interface Visitor {
  readonly bucket: number;
  readonly speed: number;
  readonly failing: number;
  seen: boolean;
}

interface Session {
  readonly visitor: number;
  left: number;
}

/** p99 of the site's answers, ms. */
export const P99 = 250;
const THINK_SECONDS = 4;
const HORIZON = 64;
const MOST_PAGES = 300;

export class Site {
  readonly #random: Random;
  readonly #world: World;
  readonly #visitors = new Map<number, Visitor>();
  readonly #cumulated: Float64Array;
  readonly #due: Session[][] = Array.from({ length: HORIZON }, () => []);
  readonly #pauses = { baseline: -1, candidate: -1 };
  #outage = -1;
  #next: number;
  #drift = 0;
  #second = 0;

  constructor(random: Random, world: World) {
    this.#random = random;
    this.#world = world;
    this.#next = world.regulars;
    this.#cumulated = new Float64Array(world.regulars);
    let sum = 0;
    for (let rank = 0; rank < world.regulars; rank++) {
      sum += 1 / (rank + 1) ** world.zipf;
      this.#cumulated[rank] = sum;
    }
  }

  /** The requests of the next second, where the candidate has `share` per cent of the visitors. */
  second(share: number, candidate: Version, warmth: number): Request[] {
    const random = this.#random;
    // Load wanders by half in some minutes.
    this.#drift = 0.99 * this.#drift + 0.07 * random.normal();
    for (let count = poisson(random, this.#world.sessions * Math.exp(this.#drift)); count > 0; count--)
      this.#arrive();
    this.#pause();
    const due = this.#due[this.#second % HORIZON] as Session[];
    this.#due[this.#second % HORIZON] = [];
    const requests = due.map((session) => this.#ask(session, share, candidate, warmth));
    this.#second++;
    return requests;
  }

  #arrive(): void {
    const random = this.#random;
    const regular = random.uniform() < this.#world.regularShare;
    const visitor = regular ? this.#regular() : this.#next++;
    // A long tail: most look at a few pages, some at hundreds.
    const left = Math.min(MOST_PAGES, Math.ceil(random.uniform() ** -0.7 * 1.5));
    this.#due[this.#second % HORIZON]?.push({ visitor, left });
  }

  #regular(): number {
    const at = this.#random.uniform() * (this.#cumulated.at(-1) ?? 0);
    let low = 0;
    let high = this.#cumulated.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#cumulated[middle] as number) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Now and then a process stands still, each by itself or both (a disk, a neighbour). */
  #pause(): void {
    const random = this.#random;
    const now = this.#second;
    // Mostly for less than half a second, at times for three.
    const end = () => now + (random.uniform() < 0.1 ? 3 * random.uniform() : 0.4);
    if (random.uniform() < 1 / 90) this.#pauses.baseline = end();
    if (random.uniform() < 1 / 90) this.#pauses.candidate = end();
    if (random.uniform() < 1 / 120) this.#pauses.baseline = this.#pauses.candidate = end();
    const { outages } = this.#world;
    if (outages !== undefined && random.uniform() < 1 / outages) this.#outage = now + 10;
  }

  #visitorOf(id: number): Visitor {
    const known = this.#visitors.get(id);
    if (known !== undefined) return known;
    const random = this.#random;
    const visitor = {
      bucket: random.uniform() * 100,
      speed: Math.exp(0.7 * random.normal()),
      failing: random.uniform() < this.#world.unlucky ? 0.3 : 0,
      seen: false,
    };
    this.#visitors.set(id, visitor);
    return visitor;
  }

  #ask(session: Session, share: number, candidate: Version, warmth: number): Request {
    const random = this.#random;
    const visitor = this.#visitorOf(session.visitor);
    const bucket = this.#world.byRequest === true ? 100 * random.uniform() : visitor.bucket;
    const side = bucket < share ? 'candidate' : 'baseline';
    const version = side === 'candidate' ? candidate : SAME;
    const isNew = !visitor.seen;
    visitor.seen = true;
    session.left -= 1;
    const leaves = isNew && random.uniform() < version.leave;
    if (session.left > 0 && !leaves) {
      const wait = Math.min(HORIZON - 1, Math.max(1, Math.round(random.exponential() * THINK_SECONDS)));
      this.#due[(this.#second + wait) % HORIZON]?.push(session);
    }
    const outage = this.#outage > this.#second ? 0.5 : 0;
    const failed = random.uniform() < visitor.failing + version.errors + outage;
    const asked = this.#second + random.uniform();
    const stands = Math.max(0, 1000 * (this.#pauses[side] - asked));
    const luck = random.normal();
    const tail = luck > 2.33 ? version.tail : 1;
    const usual = 30 * visitor.speed * Math.exp(0.5 * luck + 0.3 * this.#drift);
    const slowest = usual > P99 ? version.slowest : 1;
    const cold = side === 'candidate' ? warmth : 1;
    const ms = usual * version.slower * tail * slowest * cold + stands;
    return { visitor: session.visitor, isNew, side, failed, ms: Math.round(ms) };
  }
}

function poisson(random: Random, mean: number): number {
  let count = 0;
  for (let at = random.exponential(); at < mean; at += random.exponential()) count++;
  return count;
}
