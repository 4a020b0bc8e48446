/**
 * From requests to evidence: who was dealt to which side by chance, and what befell them in their first half
 * minute. Memory is bounded: of too many units, a sample is followed that their names decide, which say
 * nothing of their side.
 *
 * Time is the caller's and only goes forward; that of the log is not looked at, since clocks jump.
 */
import { defaultUnitConfig, SLOW_LIMITS } from '../judge/units/config.ts';
import type { DealCounts, UnitEvent, UnitStratum, UnitValue } from '../judge/units/types.ts';
import type { SplitLine } from '../proxy/split-log.ts';
import { coldness, Slowness, type SlowSince } from './slowness.ts';

/** Seconds in which deals begin that are compared with each other. */
const STRETCH = 10;
/** Seconds of a deal that count. */
const EPISODE = 30;
/** Where each request is dealt anew, nothing follows it. */
const REQUEST_EPISODE = 1;
/** Deals that are held at once, at most. */
const MOST_HELD = 20_000;
/** Units of a side in a block, and answers of a unit, at most. */
const MOST_UNITS = 300;
const MOST_ANSWERS = 20;
/** Units that are remembered, since they may be dealt again after a step, or must not be. */
const MOST_KNOWN = 20_000;
/** The candidate is warm after so many answers, or so many seconds: its latency counts from then on. */
const WARM_REQUESTS = 100;
const WARM_SECONDS = 60;
/**
 * Seconds until every request that a share sent is in the log: nginx holds lines back for a quarter of a
 * second, and they are read four times a second.
 */
const LAG = 1;

type Side = 'baseline' | 'candidate';
type PerSide<T> = Readonly<Record<Side, T>>;

/** A request, with the name of whoever sent it (`unitOf`). */
export type UnitRequest = Pick<SplitLine, 'side' | 'how' | 'status' | 'milliseconds' | 'upstreamStatus'> & {
  readonly unit: string;
};

interface Deal {
  readonly unit: string;
  readonly side: Side;
  readonly chance: number;
  readonly began: number;
  requests: number;
  failed: number;
  refused: number;
  readonly ms: number[];
  readonly slow: SlowSince;
}

interface Block {
  readonly warm: boolean;
  deals: Deal[];
}

/** What has been counted of a side. */
export interface Counted {
  readonly visitors: number;
  readonly requests: number;
  readonly failed: number;
}

/** What has to be known after a restart, so that nobody counts twice; plain JSON. */
export interface KeptEpisodes {
  readonly counted: PerSide<Counted>;
  /** Of 2^n units, one is followed. */
  readonly sampling: number;
  /** Names of units that were dealt, by the share then; 1: they have the candidate. */
  readonly known: Readonly<Record<string, string>>;
}

/** Answered by the version with an error, though another process may have helped out; or not at all. */
export function isFailed({ status, upstreamStatus }: Pick<SplitLine, 'status' | 'upstreamStatus'>): boolean {
  return status >= 500 || status === 0 || /(^|[ ,:])5\d\d/.test(upstreamStatus);
}

export class Episodes {
  readonly #by: 'visitor' | 'key' | 'request';
  readonly #length: number;
  readonly #open = new Map<string, Deal>();
  /**
   * Units that were dealt, and the share then: when it has grown, those of the baseline are dealt again.
   * Candidates stay what they are: 1.
   */
  readonly #known = new Map<string, number>();
  readonly #counted = {
    baseline: { visitors: 0, requests: 0, failed: 0 },
    candidate: { visitors: 0, requests: 0, failed: 0 },
  };
  #share: number;
  #sharedAt = Number.NEGATIVE_INFINITY;
  #sampling = 0;
  #second = new Map<number, Mutable>();
  readonly #slowness = new Slowness();
  readonly #blocks = new Map<number, Block>();
  /** Deals in blocks. */
  #held = 0;
  #now: number;
  #at: number;

  /**
   * @param by as the order has it. @param share of the candidate now, per cent. @param kept of an earlier
   * process. @param now seconds since the rollout began; what had begun before is no evidence.
   */
  constructor(by: string, share: number, kept?: KeptEpisodes, now = 0) {
    this.#by = by === 'request' || by === 'visitor' ? by : 'key';
    this.#length = by === 'request' ? REQUEST_EPISODE : EPISODE;
    this.#share = share;
    this.#now = now;
    this.#at = Math.floor(now);
    if (kept === undefined) return;
    this.#sharedAt = now;
    this.#counted = { baseline: { ...kept.counted.baseline }, candidate: { ...kept.counted.candidate } };
    this.#sampling = kept.sampling;
    for (const [before, names] of Object.entries(kept.known)) {
      for (const name of names === '' ? [] : names.split(' ')) this.#known.set(name, Number(before));
    }
  }

  get counted(): PerSide<Counted> {
    return this.#counted;
  }

  /** For the next process, should this one end. */
  get kept(): KeptEpisodes {
    const names = new Map<number, string[]>();
    // A cookie says itself whether it is new.
    if (this.#by === 'key') {
      for (const [unit, before] of this.#known) {
        const same = names.get(before);
        if (same === undefined) names.set(before, [unit]);
        else same.push(unit);
      }
    }
    const known = Object.fromEntries([...names].map(([before, units]) => [String(before), units.join(' ')]));
    return { counted: this.#counted, sampling: this.#sampling, known };
  }

  /**
   * The candidate's share from here on. All episodes end, those of either side alike: whoever is the
   * baseline's is dealt again with his next request.
   */
  set share(percent: number) {
    if (percent === this.#share) return;
    this.#share = percent;
    this.#sharedAt = this.#now;
    this.#open.clear();
  }

  take(request: UnitRequest): void {
    const { side, how, unit } = request;
    const failed = isFailed(request);
    const counted = this.#counted[side];
    counted.requests += 1;
    if (failed) counted.failed += 1;
    if (how === 'new' || how === 'request') counted.visitors += 1;
    if (how === 'tester' || how === 'keyless' || !this.#isSampled(unit)) return;
    const deal = this.#dealOf(request);
    if (deal === undefined) return;
    deal.requests += 1;
    if (failed) {
      deal.failed += 1;
      if (deal.failed === 1) this.#bucket(deal.chance).failed[side] += 1;
      return;
    }
    if (request.status >= 400 && request.status !== 499) {
      deal.refused += 1;
      if (deal.refused === 1) this.#bucket(deal.chance).refused[side] += 1;
    }
    // A web socket lasts as long as somebody listens.
    if (request.status === 101) return;
    if (deal.ms.length < MOST_ANSWERS) deal.ms.push(request.milliseconds);
    this.#look(deal, request.milliseconds);
  }

  /** Whether he waits grossly long, again and again. */
  #look({ side, chance, slow }: Deal, ms: number): void {
    if (side === 'baseline') this.#slowness.learn(ms);
    const began = this.#now - ms / 1000;
    const cold = coldness(this.#counted.candidate.requests);
    if (cold === null) return;
    // What is tolerated of latency is so here: the candidate's limit lies higher by it.
    const tolerated = side === 'candidate' ? (1 + defaultUnitConfig.tolerated) * cold - 1 : 0;
    for (const limit of this.#slowness.take(slow, ms, began, tolerated)) {
      const counts = this.#bucket(chance).slow[limit];
      if (counts !== undefined) counts[side] += 1;
    }
  }

  /** What has happened until `now`, in seconds since the rollout began. */
  until(now: number): readonly UnitEvent[] {
    const events: UnitEvent[] = [];
    this.#now = Math.max(this.#now, now);
    if (Math.floor(this.#now) > this.#at) {
      this.#end();
      this.#slowness.update();
      this.#at = Math.floor(this.#now);
      if (this.#second.size > 0) {
        const deals = [...this.#second].map(([chance, counts]): DealCounts => ({ chance, ...counts }));
        events.push({ kind: 'second', at: this.#at, deals });
        this.#second = new Map();
      }
    }
    for (const [stretch, { deals, warm }] of this.#blocks) {
      const at = endOf(stretch);
      if (at > this.#now) continue;
      this.#blocks.delete(stretch);
      this.#held -= deals.length;
      if (deals.length > 0) events.push({ kind: 'block', at, warm, strata: strataOf(deals) });
    }
    return events;
  }

  #isSampled(unit: string): boolean {
    return this.#sampling === 0 || Number.parseInt(unit.slice(0, 8), 16) % 2 ** this.#sampling === 0;
  }

  /** The deal that a request belongs to; undefined: it is no evidence. */
  #dealOf({ unit, side, how, milliseconds }: UnitRequest): Deal | undefined {
    const began = this.#now - milliseconds / 1000;
    // Whatever the share before sent here says nothing of this one.
    if (began < this.#sharedAt) return undefined;
    const open = this.#open.get(unit);
    if (open !== undefined) return open.side === side ? open : undefined;
    // A session's side is no deal; one that was dealt before it had a session goes on above.
    if (how === 'session' || began < this.#sharedAt + LAG) return undefined;
    const chance = this.#chanceOf(unit, how);
    if (chance === undefined) return undefined;
    this.#remember(unit, side);
    if (chance <= 0 || chance >= 1) return undefined;
    const deal: Deal = { unit, side, chance, began, requests: 0, failed: 0, refused: 0, ms: [], slow: [] };
    this.#open.set(unit, deal);
    this.#putIntoBlock(deal);
    return deal;
  }

  /** Chance that it got the candidate: of everybody when it is new, else of those that a step has let in. */
  #chanceOf(unit: string, how: SplitLine['how']): number | undefined {
    const share = this.#share / 100;
    const before = this.#known.get(unit);
    if (before !== undefined) return share > before ? (share - before) / (1 - before) : undefined;
    // A cookie that nobody remembers giving may be anybody's.
    return this.#by === 'visitor' && how !== 'new' ? undefined : share;
  }

  #remember(unit: string, side: Side): void {
    if (this.#by === 'request') return;
    if (this.#by === 'key' && !this.#known.has(unit)) this.#counted[side].visitors += 2 ** this.#sampling;
    this.#known.delete(unit);
    // A candidate's cookie is never new again.
    if (this.#by === 'visitor' && side === 'candidate') return;
    this.#known.set(unit, side === 'candidate' ? 1 : this.#share / 100);
    if (this.#known.size <= MOST_KNOWN) return;
    const [oldest] = this.#known.keys();
    // Who is forgotten would be dealt again, were it not for the cookie.
    if (this.#by === 'key') this.#thinOut();
    else if (oldest !== undefined) this.#known.delete(oldest);
  }

  /** Blocks hold deals by when they began, so how long an answer took decides nothing. */
  #putIntoBlock(deal: Deal): void {
    const stretch = Math.floor(deal.began / STRETCH);
    if (endOf(stretch) <= this.#now) return;
    let block = this.#blocks.get(stretch);
    if (block === undefined) {
      block = {
        warm: this.#now >= WARM_SECONDS || this.#counted.candidate.requests >= WARM_REQUESTS,
        deals: [],
      };
      this.#blocks.set(stretch, block);
    }
    block.deals.push(deal);
    this.#held += 1;
    if (this.#held > MOST_HELD) this.#thinOut();
  }

  #bucket(chance: number): Mutable {
    const bucket = this.#second.get(chance) ?? nothing();
    this.#second.set(chance, bucket);
    return bucket;
  }

  /** Ends episodes whose time is up. */
  #end(): void {
    for (const [unit, { began, chance, side, requests }] of this.#open) {
      if (began + this.#length > this.#now) continue;
      this.#open.delete(unit);
      this.#bucket(chance)[requests > 1 ? 'returned' : 'alone'][side] += 1;
    }
  }

  #thinOut(): void {
    this.#sampling += 1;
    for (const unit of this.#open.keys()) if (!this.#isSampled(unit)) this.#open.delete(unit);
    for (const unit of this.#known.keys()) if (!this.#isSampled(unit)) this.#known.delete(unit);
    this.#held = 0;
    for (const block of this.#blocks.values()) {
      block.deals = block.deals.filter(({ unit }) => this.#isSampled(unit));
      this.#held += block.deals.length;
    }
  }
}

/** When everything of a stretch is known, of slow answers as well. */
function endOf(stretch: number): number {
  return (stretch + 1) * STRETCH + EPISODE;
}

type Mutable = Record<'failed' | 'refused' | 'alone' | 'returned', Record<Side, number>> & {
  readonly slow: readonly Record<Side, number>[];
};

function nothing(): Mutable {
  const none = () => ({ baseline: 0, candidate: 0 });
  const slow = SLOW_LIMITS.map(none);
  return { failed: none(), refused: none(), alone: none(), returned: none(), slow };
}

/** By the chance of their deal, in the order of their names, which has nothing to do with time or side. */
function strataOf(deals: readonly Deal[]): readonly UnitStratum[] {
  const chances = [...new Set(deals.map(({ chance }) => chance))];
  return chances.map((chance) => {
    const same = deals.filter((deal) => deal.chance === chance);
    const of = (side: Side) => same.filter((deal) => deal.side === side);
    const dealt = { baseline: of('baseline').length, candidate: of('candidate').length };
    // One side alone is compared with nothing.
    const compared = dealt.baseline > 0 && dealt.candidate > 0;
    const values = (side: Side): readonly UnitValue[] =>
      compared
        ? of(side)
            .sort((a, b) => (a.unit < b.unit ? -1 : 1))
            .slice(0, MOST_UNITS)
            .map(({ requests, failed, ms }) => ({ requests, failed, ms }))
        : [];
    return { chance, dealt, baseline: values('baseline'), candidate: values('candidate') };
  });
}
