/**
 * `agent.js stream --numbers JSON`: numbers that a service exposes, asked every second: Prometheus text or a
 * JSON field.
 */

import { atJsonPath } from '../contract/json-path.ts';
import type { WantedNumber } from '../contract/numbers.ts';
import { bucketIndex } from '../metrics/histogram.ts';
import type { NumbersLine } from '../metrics/live.ts';

const ANSWER_MS = 900;

/** What one look at a number gives: a value, or cumulative counts by upper edge. */
type Look = number | ReadonlyMap<number, number>;

export function numbersSource(
  wanted: readonly WantedNumber[],
  ask: (url: string) => Promise<string> = asked,
) {
  let before = new Map<string, Look>();
  return {
    async take(at: number, seconds: number): Promise<NumbersLine> {
      const texts = new Map<string, string>();
      await Promise.all(
        [...new Set(wanted.map(({ url }) => url))].map(async (url) => {
          // A service that is away has no numbers; that it is away is seen elsewhere.
          const text = await ask(url).catch(() => undefined);
          if (text !== undefined) texts.set(url, text);
        }),
      );
      const now = new Map<string, Look>();
      for (const one of wanted) {
        const look = lookAt(one, texts.get(one.url));
        if (look !== undefined) now.set(one.name, look);
      }
      const values = wanted.flatMap(({ name, type }) => {
        const value = taken(type, before.get(name), now.get(name));
        return value === undefined ? [] : [[name, value] as const];
      });
      // Over a gap, increases count from the last look.
      before = new Map([...before, ...now]);
      return { kind: 'numbers', at, seconds, values: Object.fromEntries(values) };
    },
    close() {},
  };
}

async function asked(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.text();
}

function lookAt({ type, prometheus, json }: WantedNumber, text: string | undefined): Look | undefined {
  if (text === undefined) return undefined;
  if (json !== undefined) return jsonNumber(text, json);
  if (prometheus === undefined) return undefined;
  const [, name = '', labels = ''] = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?$/.exec(prometheus) ?? [];
  const given = labelsIn(labels);
  if (type !== 'histogram') return summed(text, name, given);
  const edges = new Map<number, number>();
  for (const { labels: own, value } of samplesIn(text, `${name}_bucket`, given)) {
    const edge = Number((own.get('le') ?? '').replace('+Inf', 'Infinity'));
    if (!Number.isNaN(edge)) edges.set(edge, (edges.get(edge) ?? 0) + value);
  }
  return edges.size === 0 ? undefined : edges;
}

function summed(text: string, name: string, labels: ReadonlyMap<string, string>): number | undefined {
  const samples = samplesIn(text, name, labels);
  return samples.length === 0 ? undefined : samples.reduce((sum, { value }) => sum + value, 0);
}

/** Samples of that name that have at least these labels. */
function samplesIn(text: string, name: string, wanted: ReadonlyMap<string, string>) {
  return text.split('\n').flatMap((line) => {
    const [, found, labels = '', number = ''] = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line) ?? [];
    const value = Number(number);
    if (found !== name || Number.isNaN(value)) return [];
    const own = labelsIn(labels);
    return [...wanted].every(([key, text]) => own.get(key) === text) ? [{ labels: own, value }] : [];
  });
}

function labelsIn(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/([A-Za-z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"/g)].map(([, key = '', value = '']) => [
      key,
      value,
    ]),
  );
}

function jsonNumber(text: string, path: string): number | undefined {
  const value = atJsonPath(text, path);
  return typeof value === 'number' ? value : undefined;
}

/** A gauge as it is; of counters what came since the last look, all of it after a restart. */
function taken(
  type: WantedNumber['type'],
  before: Look | undefined,
  now: Look | undefined,
): NumbersLine['values'][string] | undefined {
  if (now === undefined) return undefined;
  if (typeof now === 'number') {
    if (type === 'gauge') return now;
    return typeof before === 'number' ? increase(before, now) : undefined;
  }
  if (before === undefined || typeof before === 'number') return undefined;
  const counts: Record<string, number> = {};
  let below = 0;
  let last = 0;
  for (const [edge, count] of [...now].sort(([a], [b]) => a - b)) {
    const upTo = increase(before.get(edge) ?? 0, count);
    const here = Math.max(0, upTo - below);
    below = Math.max(below, upTo);
    // Beyond the last edge nothing is known: twice that.
    const at = Number.isFinite(edge) ? edge : 2 * last;
    if (Number.isFinite(edge)) last = edge;
    if (here === 0 || at <= 0) continue;
    const key = String(bucketIndex(at));
    counts[key] = (counts[key] ?? 0) + Math.round(here);
  }
  return { counts };
}

function increase(before: number, now: number): number {
  return now >= before ? now - before : now;
}
