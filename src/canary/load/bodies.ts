/**
 * Body agreement: does the candidate give the answers that the baseline gives?
 *
 * An answer is "usual" if it is among the baseline's earlier answers to the same request: the most common
 * ones that together made up `COVERAGE` of them. What is usual in one second is decided by the seconds before
 * it, so within a second both sides are held against the same list, which neither of them can influence any
 * more: where both versions draw their answers from the same distribution, their answers are exchangeable,
 * and a count test on `disagreed` is valid. Answers of the baseline that are not usual are the noise (clocks,
 * random identifiers, rare errors). Coverage below one keeps a rare wrong answer of the baseline from
 * excusing a common one of the candidate.
 */
import { createHash } from 'node:crypto';
import type { BodyComparisons, PerSide } from '../../judge/types.ts';

/** Share of the baseline's answers that the usual ones make up. */
const COVERAGE = 0.99;
/** Answers of the baseline that must be known before anything is compared. */
const LEAST_KNOWN = 10;
/**
 * Different answers kept for each request. Beyond, answers are held to be all different, and no more are
 * added.
 */
const MOST_KEPT = 5_000;
/** Differences kept for the report, for each request. */
const EXAMPLES = 2;
/** Characters of a difference that are shown, before and from where it begins. */
const BEFORE = 60;
const SHOWN = 400;

/** Two answers to the same request that should have been the same, from shortly before where they part. */
export interface BodyDifference {
  readonly request: string;
  readonly status: number;
  readonly baseline: string;
  readonly candidate: string;
}

export interface Answer {
  /** Index of the request in the load. */
  readonly request: number;
  readonly side: 'baseline' | 'candidate';
  /** Below 500: others are not compared. */
  readonly status: number;
  readonly body: Buffer;
}

interface Known {
  /** The baseline's answers before this second: digest → how often. */
  readonly counts: Map<string, number>;
  total: number;
  usual: ReadonlySet<string>;
  /** Digest → text, for the examples: the first answer only. */
  first: { readonly digest: string; readonly text: string } | undefined;
  examples: number;
}

/** Compares answers second by second. */
export class BodyComparer {
  readonly #names: readonly string[];
  readonly #ignore: readonly RegExp[];
  readonly #known: readonly Known[];
  #pending: { readonly request: number; readonly digest: string }[] = [];
  #current: PerSide<{ compared: number; disagreed: number }> = empty();
  readonly differences: BodyDifference[] = [];

  /** `names`: what each request is called. `ignore`: what is cut out of every body before it is compared. */
  constructor(names: readonly string[], ignore: readonly RegExp[]) {
    this.#names = names;
    this.#ignore = ignore.map((pattern) => new RegExp(pattern.source, withGlobal(pattern.flags)));
    this.#known = names.map(() => ({
      counts: new Map(),
      total: 0,
      usual: new Set(),
      first: undefined,
      examples: 0,
    }));
  }

  /** Takes one answer. What the baseline says counts as known from the next second on. */
  observe(answer: Answer): void {
    const known = this.#known[answer.request];
    if (known === undefined || answer.status >= 500) return;
    const text = this.#normalise(answer.body);
    const digest = createHash('sha1').update(`${answer.status}\n`).update(text).digest('base64');
    if (known.total >= LEAST_KNOWN) {
      const agrees = known.usual.has(digest);
      const counts = this.#current[answer.side];
      counts.compared++;
      if (!agrees) counts.disagreed++;
      if (!agrees && answer.side === 'candidate') this.#keep(answer, known, text);
    }
    if (answer.side === 'baseline') {
      this.#pending.push({ request: answer.request, digest });
      known.first ??= { digest, text: text.toString('utf8') };
    }
  }

  /** Ends a second: its comparisons, for each side. */
  endSecond(): PerSide<BodyComparisons> {
    const touched = new Set<Known>();
    for (const { request, digest } of this.#pending) {
      const known = this.#known[request];
      if (known === undefined) continue;
      const count = known.counts.get(digest);
      if (count !== undefined || known.counts.size < MOST_KEPT) known.counts.set(digest, (count ?? 0) + 1);
      known.total++;
      touched.add(known);
    }
    for (const known of touched) known.usual = usualAnswers(known.counts, known.total);
    this.#pending = [];
    const done = this.#current;
    this.#current = empty();
    return done;
  }

  /** Requests whose answers differ every time even on the baseline: comparing them says nothing. */
  restless(): string[] {
    return this.#names.filter((_, index) => {
      const known = this.#known[index];
      return known !== undefined && known.total >= 50 && known.counts.size > 0.9 * known.total;
    });
  }

  #normalise(body: Buffer): Buffer {
    if (this.#ignore.length === 0) return body;
    const text = this.#ignore.reduce((rest, pattern) => rest.replace(pattern, ''), body.toString('utf8'));
    return Buffer.from(text);
  }

  #keep(answer: Answer, known: Known, text: Buffer): void {
    // Where the baseline's answers differ among themselves, one of them beside the candidate's explains
    // nothing.
    if (known.examples >= EXAMPLES || known.first === undefined || known.usual.size > 3) return;
    known.examples++;
    const candidate = text.toString('utf8');
    const from = Math.max(0, commonPrefix(known.first.text, candidate) - BEFORE);
    const cut = (value: string) =>
      `${from > 0 ? '…' : ''}${value.slice(from, from + SHOWN)}${value.length > from + SHOWN ? '…' : ''}`;
    this.differences.push({
      request: this.#names[answer.request] ?? '',
      status: answer.status,
      baseline: cut(known.first.text),
      candidate: cut(candidate),
    });
  }
}

/** The most common answers that together make up `COVERAGE` of the total. */
function usualAnswers(counts: ReadonlyMap<string, number>, total: number): ReadonlySet<string> {
  const usual = new Set<string>();
  let covered = 0;
  for (const [digest, count] of [...counts].sort((a, b) => b[1] - a[1])) {
    if (covered >= COVERAGE * total) break;
    usual.add(digest);
    covered += count;
  }
  return usual;
}

function commonPrefix(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let index = 0;
  while (index < end && a[index] === b[index]) index++;
  return index;
}

function withGlobal(flags: string): string {
  return flags.includes('g') ? flags : `${flags}g`;
}

function empty(): PerSide<{ compared: number; disagreed: number }> {
  return { baseline: { compared: 0, disagreed: 0 }, candidate: { compared: 0, disagreed: 0 } };
}
