/**
 * Histograms for work on many of them: one as it is on the wire, read only on demand, and one that grows,
 * with buckets side by side in an array. Both are `HistogramData`.
 */
import { type HistogramData, MAX_INDEX, MIN_INDEX, upperEdge } from './histogram.ts';

const RADIX = 36;

/** A histogram on the wire, already checked (`isEncoded`). */
export class EncodedHistogram implements HistogramData {
  readonly text: string;
  #data: HistogramData | undefined;

  constructor(text: string) {
    this.text = text;
  }

  get sum(): number {
    return this.#read().sum;
  }
  get zero(): number {
    return this.#read().zero;
  }
  get counts(): HistogramData['counts'] {
    return this.#read().counts;
  }

  toJSON(): HistogramData {
    return this.#read();
  }

  #read(): HistogramData {
    this.#data ??= sumHistograms([this]).toJSON();
    return this.#data;
  }
}

/** A histogram that takes in others. */
export class DenseHistogram implements HistogramData {
  sum = 0;
  zero = 0;
  /** Bucket of the first count. */
  #base = 0;
  #counts: number[] = [];

  add(other: HistogramData): void {
    if (other instanceof EncodedHistogram) {
      const { text } = other;
      if (!scan(text, this)) throw new RangeError('not a histogram');
      return;
    }
    this.sum += other.sum;
    this.zero += other.zero;
    if (other instanceof DenseHistogram) {
      for (let i = 0; i < other.#counts.length; i++) {
        const count = other.#counts[i] ?? 0;
        if (count > 0) this.count(other.#base + i, count);
      }
      return;
    }
    for (const index in other.counts) this.count(Number(index), other.counts[index] ?? 0);
  }

  /** Adds to one bucket. */
  count(index: number, times: number): void {
    if (this.#counts.length === 0) this.#base = index;
    if (index < this.#base) {
      this.#counts = [...new Array<number>(this.#base - index).fill(0), ...this.#counts];
      this.#base = index;
    }
    const at = index - this.#base;
    while (this.#counts.length <= at) this.#counts.push(0);
    this.#counts[at] = (this.#counts[at] ?? 0) + times;
  }

  get counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (let i = 0; i < this.#counts.length; i++) {
      const count = this.#counts[i] ?? 0;
      if (count > 0) counts[this.#base + i] = count;
    }
    return counts;
  }

  /** As `quantile` in histogram.ts. */
  quantile(q: number): number | undefined {
    let all = this.zero;
    for (const count of this.#counts) all += count;
    const rank = Math.min(1, Math.max(0, q)) * all;
    if (this.zero > 0 && rank <= this.zero) return 0;
    let below = this.zero;
    let last: number | undefined;
    for (let i = 0; i < this.#counts.length; i++) {
      const count = this.#counts[i] ?? 0;
      if (count === 0) continue;
      const index = this.#base + i;
      if (rank <= below + count) return upperEdge(index - 1 + (rank - below) / count);
      below += count;
      last = upperEdge(index);
    }
    return last;
  }

  toJSON(): HistogramData {
    return { sum: this.sum, zero: this.zero, counts: this.counts };
  }

  copy(): DenseHistogram {
    const copy = new DenseHistogram();
    copy.sum = this.sum;
    copy.zero = this.zero;
    copy.#base = this.#base;
    copy.#counts = this.#counts.slice();
    return copy;
  }
}

/** Their sum. */
export function sumHistograms(parts: Iterable<HistogramData>): DenseHistogram {
  const total = new DenseHistogram();
  for (const part of parts) total.add(part);
  return total;
}

/** Reads what `encodeHistogram` wrote; `undefined` for any other text. Never throws. */
export function decodeHistogram(text: string): HistogramData | undefined {
  const histogram = new DenseHistogram();
  return scan(text, histogram) ? histogram.toJSON() : undefined;
}

/** Whether `encodeHistogram` could have written the text. */
export function isEncoded(text: string): boolean {
  return scan(text, undefined);
}

const SUM = /^\d{1,16}(?:\.\d{1,20})?(?:e[+-]\d{1,2})?$/;
const ZERO = /^[0-9a-z]{1,10}$/;
const GAP_DIGITS = 3;
const COUNT_DIGITS = 10;

/**
 * Reads the text into a histogram, character by character: a hub reads thousands a second.
 * @returns whether it is one; if not, part of it may have been added
 */
function scan(text: string, into: DenseHistogram | undefined): boolean {
  const first = text.indexOf(';');
  const second = text.indexOf(';', first + 1);
  if (first < 0 || second < 0) return false;
  const [sum, zero] = [text.slice(0, first), text.slice(first + 1, second)];
  if (!SUM.test(sum) || !ZERO.test(zero)) return false;
  if (into !== undefined) {
    into.sum += Number(sum);
    into.zero += Number.parseInt(zero, RADIX);
  }
  const { length } = text;
  let at = second + 1;
  let index = 0;
  for (let isFirst = true; at < length; isFirst = false) {
    const negative = text.charCodeAt(at) === 45;
    if (negative) at++;
    let [value, begin] = [0, at];
    for (let digit = digitAt(text, at); digit >= 0 && at - begin < GAP_DIGITS; digit = digitAt(text, ++at))
      value = value * RADIX + digit;
    if (at === begin) return false;
    const gap = negative ? -value : value;
    if (!isFirst && gap <= 0) return false;
    index += gap;
    if (index < MIN_INDEX || index > MAX_INDEX) return false;
    let count = 1;
    if (at < length && text.charCodeAt(at) === 58) {
      [count, begin] = [0, ++at];
      for (
        let digit = digitAt(text, at);
        digit >= 0 && at - begin < COUNT_DIGITS;
        digit = digitAt(text, ++at)
      )
        count = count * RADIX + digit;
      if (count === 0) return false;
    }
    into?.count(index, count);
    if (at === length) return true;
    if (text.charCodeAt(at) !== 44) return false;
    at++;
    if (at === length) return false; // a comma must not be the end
  }
  return true;
}

/** The digit in base 36, or -1. */
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code >= 48 && code <= 57) return code - 48;
  return code >= 97 && code <= 122 ? code - 87 : -1;
}
