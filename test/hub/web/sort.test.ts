import { describe, expect, it } from 'vitest';
import { byHealth, matches, nextSort, sorted } from '../../../src/hub/web/state/sort.ts';

describe('lists', () => {
  const rows = [{ n: 2 as number | null }, { n: null }, { n: 10 }];
  it('sort by a column, what has no value last', () => {
    const columns = { n: ({ n }: { n: number | null }) => n };
    expect(sorted(rows, '-n', columns).map(({ n }) => n)).toEqual([10, 2, null]);
    expect(sorted(rows, 'n', columns).map(({ n }) => n)).toEqual([2, 10, null]);
    expect(sorted(rows, 'other', columns)).toEqual(rows);
  });

  it('turn round at the second click and are as they came at the third', () => {
    expect(['', '-p99', 'p99'].map((sort) => nextSort(sort, 'p99', false))).toEqual(['-p99', 'p99', '']);
    expect(nextSort('', 'route', true)).toBe('route');
  });

  it('have what every word is in', () => {
    expect(matches('web bro', 'web-1', 'broken')).toBe(true);
    expect(matches('db', 'web-1', 'broken')).toBe(false);
    expect(matches('', 'anything')).toBe(true);
  });

  it('begin with trouble, numbers in their order', () => {
    const named = (name: string, health: 'well' | 'look' | 'broken') => ({ name, health });
    expect(
      byHealth([
        named('web-10', 'well'),
        named('web-9', 'well'),
        named('db', 'broken'),
        named('a', 'look'),
      ]).map(({ name }) => name),
    ).toEqual(['db', 'a', 'web-9', 'web-10']);
  });
});
