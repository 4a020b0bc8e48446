/**
 * From requests to evidence: who was dealt to which side by chance, and what befell them in their first half
 * minute. Memory is bounded: of too many visitors, a sample is followed that their names decide, which say
 * nothing of their side.
 *
 * Time is the caller's and only goes forward; that of the log is not looked at, since clocks jump.
 */
import type { DealCounts, UnitEvent, UnitStratum, UnitValue } from '../judge/units/types.ts';
import type { SplitLine } from '../proxy/split-log.ts';

/** Seconds in which deals begin that are compared with each other. */
const STRETCH = 10;
/** Seconds of a deal that count. */
const EPISODE = 30;
/** Where each request is dealt anew, nothing follows it. */
const REQUEST_EPISODE = 1;
/** Deals that are followed at once, at most. */
const MOST_OPEN = 10_000;
/** Units of a side in a block, and answers of a unit, at most. */
const MOST_UNITS = 300;
const MOST_ANSWERS = 20;
/** Visitors that are remembered, since they may be dealt again after a step. */
const MOST_KNOWN = 20_000;

type Side = 'baseline' | 'candidate';
type PerSide<T> = Readonly<Record<Side, T>>;

/** A request, with the name of whoever sent it (`unitOf`). */
export type UnitRequest = Pick<SplitLine, 'side' | 'how' | 'status' | 'milliseconds' | 'upstreamStatus'> & {
  readonly unit: string;
};

interface Deal {
  readonly side: Side;
  readonly chance: number;
  readonly began: number;
  requests: number;
  failed: number;
  refused: number;
  readonly ms: number[];
}

/** What has been counted of a side. */
export interface Counted {
  readonly visitors: number;
  readonly requests: number;
  readonly failed: number;
}

/** Answered by the version with an error, though another process may have helped out; or not at all. */
export function isFailed({ status, upstreamStatus }: Pick<SplitLine, 'status' | 'upstreamStatus'>): boolean {
  return status >= 500 || status === 0 || /(^|[ ,:])5\d\d/.test(upstreamStatus);
}

export class Episodes {
  readonly #open = new Map<string, Deal>();
  /** Since when each unit that may be dealt again has been the baseline's: the share then. */
  readonly #baseline = new Map<string, number>();
  readonly #length: number;
  readonly #needsNew: boolean;
  readonly #counted = {
    baseline: { visitors: 0, requests: 0, failed: 0 },
    candidate: { visitors: 0, requests: 0, failed: 0 },
  };
  #share: number;
  /** Of 2^n units, one is followed. */
  #sampling = 0;
  #second = new Map<number, Mutable>();
  #blocks = new Map<number, Deal[]>();
  #now = 0;
  #at = 0;

  /** @param by as the order has it. @param share of the candidate now, per cent. */
  constructor(by: string, share: number, counted?: PerSide<Counted>) {
    this.#length = by === 'request' ? REQUEST_EPISODE : EPISODE;
    // A cookie that nobody remembers giving may be anybody's.
    this.#needsNew = by === 'visitor';
    this.#share = share;
    if (counted !== undefined) {
      this.#counted = { baseline: { ...counted.baseline }, candidate: { ...counted.candidate } };
    }
  }

  get counted(): PerSide<Counted> {
    return this.#counted;
  }

  /** The candidate's share from here on. */
  set share(percent: number) {
    this.#share = percent;
  }

  take(request: UnitRequest): void {
    const { side, how } = request;
    const counted = this.#counted[side];
    const failed = isFailed(request);
    counted.requests += 1;
    if (failed) counted.failed += 1;
    if (how === 'new') counted.visitors += 1;
    if (how === 'tester' || how === 'keyless' || !this.#isSampled(request.unit)) return;
    const deal = this.#dealOf(request);
    if (deal === undefined) return;
    deal.requests += 1;
    const bucket = this.#bucket(deal.chance);
    if (failed) {
      deal.failed += 1;
      if (deal.failed === 1) bucket.failed[side] += 1;
      return;
    }
    if (request.status >= 400 && request.status !== 499) {
      deal.refused += 1;
      if (deal.refused === 1) bucket.refused[side] += 1;
    }
    if (deal.ms.length < MOST_ANSWERS) deal.ms.push(request.milliseconds);
  }

  /** What has happened until `now`, in seconds since the rollout began. */
  until(now: number): readonly UnitEvent[] {
    const events: UnitEvent[] = [];
    this.#now = Math.max(this.#now, now);
    if (Math.floor(this.#now) > this.#at) {
      this.#end();
      this.#at = Math.floor(this.#now);
      if (this.#second.size > 0) {
        const deals = [...this.#second].map(([chance, counts]): DealCounts => ({ chance, ...counts }));
        events.push({ kind: 'second', at: this.#at, deals });
        this.#second = new Map();
      }
    }
    for (const [stretch, deals] of this.#blocks) {
      const end = (stretch + 1) * STRETCH + this.#length;
      if (end > this.#now) continue;
      this.#blocks.delete(stretch);
      const strata = strataOf(deals);
      if (strata.length > 0) events.push({ kind: 'block', at: end, warm: stretch > 0, strata });
    }
    return events;
  }

  #isSampled(unit: string): boolean {
    return this.#sampling === 0 || Number.parseInt(unit.slice(0, 8), 16) % 2 ** this.#sampling === 0;
  }

  /** The deal that a request belongs to; undefined: it is no evidence. */
  #dealOf({ unit, side, how }: UnitRequest): Deal | undefined {
    const open = this.#open.get(unit);
    // Who stays with the baseline after a step was dealt again as much as who did not.
    if (open?.side === side && (how === 'session' || !this.#mayMove(unit))) return open;
    // A session's side is no deal.
    if (how === 'session') return undefined;
    const chance = this.#chanceOf(unit, how);
    if (chance === undefined) return undefined;
    this.#remember(unit, side);
    if (chance <= 0 || chance >= 1) return undefined;
    const deal: Deal = { side, chance, began: this.#now, requests: 0, failed: 0, refused: 0, ms: [] };
    if (open !== undefined) this.#count(open);
    this.#open.set(unit, deal);
    const stretch = Math.floor(this.#now / STRETCH);
    const block = this.#blocks.get(stretch) ?? [];
    block.push(deal);
    this.#blocks.set(stretch, block);
    this.#bucket(chance).arrived[side] += 1;
    if (this.#open.size > MOST_OPEN) this.#thinOut();
    return deal;
  }

  /** The share has grown since it was dealt to the baseline. */
  #mayMove(unit: string): boolean {
    const before = this.#baseline.get(unit);
    return before !== undefined && this.#share / 100 > before;
  }

  /** Chance that it got the candidate: of everybody when it is new, else of those that a step has let in. */
  #chanceOf(unit: string, how: SplitLine['how']): number | undefined {
    const share = this.#share / 100;
    const before = this.#baseline.get(unit);
    if (before !== undefined) return share > before ? rounded((share - before) / (1 - before)) : undefined;
    if (this.#open.has(unit)) return undefined;
    return this.#needsNew && how !== 'new' ? undefined : share;
  }

  #remember(unit: string, side: Side): void {
    this.#baseline.delete(unit);
    if (side === 'candidate') return;
    this.#baseline.set(unit, this.#share / 100);
    if (this.#baseline.size <= MOST_KNOWN) return;
    const [oldest] = this.#baseline.keys();
    if (oldest !== undefined) this.#baseline.delete(oldest);
  }

  #bucket(chance: number): Mutable {
    const bucket = this.#second.get(chance) ?? nothing();
    this.#second.set(chance, bucket);
    return bucket;
  }

  /** Ends episodes whose time is up. They were opened in the order of their time. */
  #end(): void {
    for (const [unit, deal] of this.#open) {
      if (deal.began + this.#length > this.#now) continue;
      this.#open.delete(unit);
      this.#count(deal);
    }
  }

  #count({ chance, side, requests }: Deal): void {
    this.#bucket(chance)[requests > 1 ? 'returned' : 'alone'][side] += 1;
  }

  #thinOut(): void {
    this.#sampling += 1;
    const dropped = new Set<Deal>();
    for (const [unit, deal] of this.#open) {
      if (this.#isSampled(unit)) continue;
      this.#open.delete(unit);
      dropped.add(deal);
    }
    for (const unit of this.#baseline.keys()) if (!this.#isSampled(unit)) this.#baseline.delete(unit);
    for (const [stretch, deals] of this.#blocks) {
      this.#blocks.set(
        stretch,
        deals.filter((deal) => !dropped.has(deal)),
      );
    }
  }
}

/** Deals of one chance are counted together. */
function rounded(chance: number): number {
  return Math.round(chance * 1e6) / 1e6;
}

type Mutable = Record<'arrived' | 'failed' | 'refused' | 'alone' | 'returned', Record<Side, number>>;

function nothing(): Mutable {
  const none = () => ({ baseline: 0, candidate: 0 });
  return { arrived: none(), failed: none(), refused: none(), alone: none(), returned: none() };
}

/** By the chance of their deal; those of which one side is empty tell nothing. */
function strataOf(deals: readonly Deal[]): readonly UnitStratum[] {
  const chances = [...new Set(deals.map(({ chance }) => chance))];
  return chances.flatMap((chance) => {
    const of = (side: Side): UnitValue[] =>
      deals
        .filter((deal) => deal.chance === chance && deal.side === side)
        .slice(0, MOST_UNITS)
        .map(({ requests, failed, ms }) => ({ requests, failed, ms }));
    const stratum = { chance, baseline: of('baseline'), candidate: of('candidate') };
    return stratum.baseline.length > 0 && stratum.candidate.length > 0 ? [stratum] : [];
  });
}
