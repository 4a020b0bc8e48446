import { describe, expect, it } from 'vitest';
import {
  boundsOf,
  elsewhere,
  OVERVIEW,
  type Place,
  placeQuery,
  readPlace,
} from '../../../src/hub/web/state/place.ts';

describe('the place in the address bar', () => {
  const places: readonly Partial<Place>[] = [
    {},
    { view: 'host', name: 'web-1' },
    {
      view: 'app',
      name: 'a&b=c',
      range: '7d',
      baseline: 'r1',
      candidate: 'r2',
      sort: '-p99',
      filter: 'api x',
    },
    { view: 'canary', name: 'run-1' },
    { view: 'app', name: 'shop', route: 'GET /a?b=<c>&d' },
    { view: 'events', kind: 'deploy', filter: 'ann', from: 1000, to: 2000 },
    { view: 'alerts', range: '5m' },
  ];
  it.each(places)('comes back as it was: %j', (change) => {
    const place = { ...OVERVIEW, ...change };
    expect(readPlace(new URL(placeQuery(place), 'http://hub/dashboard').search)).toEqual(place);
  });

  it.each([
    ['?range=__proto__', {}],
    ['?range=2h&from=5&to=x', {}],
    ['?from=2000&to=1000', {}],
    ['?view=constructor', {}],
    ['?host=', {}],
    ['?app=shop&baseline=r1', { view: 'app', name: 'shop' }],
    ['?app=shop&route=x', { view: 'app', name: 'shop' }],
    ['?host=web&route=GET+/', { view: 'host', name: 'web' }],
    ['?app=shop&sort=<b>', { view: 'app', name: 'shop' }],
  ])('leaves out what makes no sense: %s', (search, change) =>
    expect(readPlace(search)).toEqual({ ...OVERVIEW, ...change }),
  );

  it('keeps the range and drops what belongs to the old view', () => {
    const before: Place = {
      ...OVERVIEW,
      view: 'app',
      name: 'shop',
      range: '24h',
      sort: '-p99',
      baseline: 'a',
      candidate: 'b',
    };
    expect(elsewhere(before, 'host', 'web')).toEqual({
      ...OVERVIEW,
      view: 'host',
      name: 'web',
      range: '24h',
    });
  });

  it('ends now unless it is fixed', () => {
    expect(boundsOf({ ...OVERVIEW, range: '5m' }, 1_000_000)).toEqual({ from: 700_000, to: 1_000_000 });
    expect(boundsOf({ ...OVERVIEW, from: 1, to: 2 }, 1_000_000)).toEqual({ from: 1, to: 2 });
  });
});
