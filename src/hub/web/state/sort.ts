/** Order and filter of lists. Pure. */
import type { Health } from '../../api-types.ts';

export type Sortable = string | number | null | undefined;

/**
 * Rows by one column; rows without a value come last either way.
 * @param sort name of the column, with a `-` before it: greatest first; empty: as they come
 */
export function sorted<T>(
  rows: readonly T[],
  sort: string,
  columns: Readonly<Record<string, (row: T) => Sortable>>,
): readonly T[] {
  const down = sort.startsWith('-');
  const of = columns[down ? sort.slice(1) : sort];
  if (of === undefined) return rows;
  return rows.toSorted((a, b) => {
    const [one, two] = [of(a) ?? null, of(b) ?? null];
    if (one === null || two === null) return Number(one === null) - Number(two === null);
    const order =
      typeof one === 'string' || typeof two === 'string'
        ? String(one).localeCompare(String(two), 'en', { numeric: true })
        : one - two;
    return down ? -order : order;
  });
}

/**
 * What a click on the head of a column makes of the order: figures begin with the greatest, words with the
 * first letter.
 */
export function nextSort(sort: string, column: string, isWord: boolean): string {
  const first = isWord ? column : `-${column}`;
  const second = isWord ? `-${column}` : column;
  return sort === first ? second : sort === second ? '' : first;
}

/** Whether a text has every word that was typed. */
export function matches(words: string, ...texts: readonly string[]): boolean {
  const text = texts.join(' ').toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

const RANK: Readonly<Record<Health, number>> = { broken: 0, look: 1, well: 2 };

/** Trouble first, then by name. */
export function byHealth<T extends { readonly health: Health; readonly name: string }>(
  items: readonly T[],
): readonly T[] {
  return items.toSorted(
    (a, b) => RANK[a.health] - RANK[b.health] || a.name.localeCompare(b.name, 'en', { numeric: true }),
  );
}
