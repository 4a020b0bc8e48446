import { describe, expect, it } from 'vitest';
import type { OverviewApp, OverviewHost } from '../../../src/hub/api-types.ts';
import { hostRemarks, wholeSentence } from '../../../src/hub/web/state/health.ts';

describe('how everything is', () => {
  const host = (name: string, change: Partial<OverviewHost> = {}): OverviewHost => ({
    name,
    health: 'well',
    silentSeconds: 1,
    cpu: 0.1,
    memory: 0.2,
    disk: 0.3,
    clockAhead: 0,
    refused: 0,
    refusal: '',
    lost: 0,
    spark: [],
    ...change,
  });
  const broken = (name: string) => host(name, { health: 'broken' });
  const apps: OverviewApp[] = [];
  it.each([
    [[], 'No hosts yet'],
    [[host('a')], 'All is well'],
    [[broken('a'), host('b', { health: 'look' })], 'a is broken, b is worth a look'],
    [[broken('a'), broken('b'), broken('c')], '3 are broken'],
  ])('is a sentence', (hosts, sentence) => expect(wholeSentence({ hosts, apps })).toBe(sentence));

  it('says what is unusual about a host', () => {
    expect(hostRemarks(host('a'))).toEqual([]);
    expect(hostRemarks(host('a', { silentSeconds: null }))).toEqual(['never heard']);
    expect(
      hostRemarks(host('a', { silentSeconds: 300, clockAhead: -4, refused: 1, refusal: 'no JSON' })),
    ).toEqual(['silent for 5 min', 'clock 4 s behind, corrected', '1 sample refused: no JSON']);
  });
});
