/** What rules would have told on minutes that were: judged, and waited for, as live. Pure. */
import type { OwnRules } from '../../config/schema.ts';
import { evaluate } from '../evaluate.ts';
import type { AlertState } from '../types.ts';
import type { Minute } from './compute.ts';
import { type OwnFinding, ownFindings } from './judge.ts';

/** A time in which a rule would have fired. */
export interface Firing {
  readonly rule: string;
  readonly subject: string;
  readonly part: string;
  /** When it would have been told, ms. */
  readonly from: number;
  /** Absent: it lasts. */
  readonly until?: number | undefined;
  /** The sentence at its worst. */
  readonly message: string;
}

interface Going {
  readonly from: number;
  readonly worst: OwnFinding;
}

const MINUTE_MS = 60_000;
/** After so long nothing is left of what was. */
const LONGEST_GAP_MS = 60 * MINUTE_MS;
const NOTHING: Minute = { hosts: new Map(), apps: new Map() };
/** More are counted, not listed. */
const MOST = 1000;

export class Preview {
  readonly #rules: OwnRules;
  #states: readonly AlertState[] = [];
  #last: number | undefined;
  readonly #going = new Map<string, Going>();
  readonly #firings: Firing[] = [];
  /** How often each rule would have fired. */
  readonly counts = new Map<string, number>();

  constructor(rules: OwnRules) {
    this.#rules = rules;
  }

  /** Minutes in order of time. @param at the minute's end, ms */
  add(at: number, minute: Minute): void {
    // Minutes without samples end what a rule waits for, as they do live.
    const first = Math.max((this.#last ?? at) + MINUTE_MS, at - LONGEST_GAP_MS);
    for (let empty = first; empty < at; empty += MINUTE_MS) this.#step(empty, NOTHING);
    this.#step(at, minute);
    this.#last = at;
  }

  #step(at: number, minute: Minute): void {
    const found = ownFindings(this.#rules, minute);
    const config = { rules: {}, own: this.#rules, quiet: undefined, repeat: undefined };
    const { states, notices } = evaluate(this.#states, found, config, at);
    this.#states = states;
    const byKey = new Map(found.map((one) => [one.key, one]));
    for (const [key, going] of this.#going) {
      const now = byKey.get(key);
      if (now !== undefined && isWorse(this.#rules, now, going.worst))
        this.#going.set(key, { ...going, worst: now });
    }
    for (const { state, alert } of notices) {
      const one = byKey.get(alert.key);
      if (state === 'firing' && one !== undefined) this.#begin(at, one);
      if (state === 'resolved') this.#end(alert.key, at);
    }
  }

  firings(): readonly Firing[] {
    const lasting = [...this.#going.values()].map((going) => firing(going));
    return [...this.#firings, ...lasting].toSorted((a, b) => a.from - b.from);
  }

  #begin(at: number, finding: OwnFinding): void {
    this.#going.set(finding.key, { from: at, worst: finding });
    this.counts.set(finding.rule, (this.counts.get(finding.rule) ?? 0) + 1);
  }

  #end(key: string, at: number): void {
    const going = this.#going.get(key);
    this.#going.delete(key);
    if (going !== undefined && this.#firings.length < MOST) this.#firings.push(firing(going, at));
  }
}

function firing({ from, worst }: Going, until?: number): Firing {
  const { rule, subject, key, message } = worst;
  const part = key.slice(rule.length + subject.length + 2);
  return { rule, subject, part, from, ...(until === undefined ? {} : { until }), message };
}

function isWorse(rules: OwnRules, now: OwnFinding, before: OwnFinding): boolean {
  const upper = rules[now.rule]?.conditions[0].operator.startsWith('>');
  return upper ? now.value > before.value : now.value < before.value;
}
