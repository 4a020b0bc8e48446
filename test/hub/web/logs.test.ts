import { describe, expect, it } from 'vitest';
import { bucketsOf, coveredBy, restOf } from '../../../src/hub/web/state/logs.ts';
import {
  hostLogs,
  logsAround,
  logsOf,
  OVERVIEW,
  placeQuery,
  readPlace,
} from '../../../src/hub/web/state/place.ts';

describe('the view of logs', () => {
  it('stands in the address bar with its filters', () => {
    const query = '?logs=shop&kind=error&q=no+card&at=web-1&release=r1&requests=yes';
    const place = readPlace(query);
    expect(place).toMatchObject({ view: 'logs', name: 'shop', kind: 'error', at: 'web-1', release: 'r1' });
    expect(readPlace(placeQuery(place))).toEqual(place);
    expect(readPlace('?view=logs')).toMatchObject({ view: 'logs', name: '' });
    expect(placeQuery(readPlace('?view=logs'))).toBe('?view=logs');
  });
  it('tells a host from an application of its name', () => {
    expect(logsOf(hostLogs('shop'))).toEqual({ host: 'shop' });
    expect(logsOf('shop')).toEqual({ app: 'shop' });
  });
  it('leads to a minute, and never beyond now', () => {
    const [at, now] = [1_000_000_000, 1_000_010_000];
    expect(logsAround(OVERVIEW, 'shop', at, now)).toMatchObject({
      ...{ view: 'logs', name: 'shop', from: at - 120_000, to: now },
    });
  });
});

describe('lines by time and level', () => {
  const line = (at: number, level: 'error' | 'info' = 'info') => ({ at, level });
  it('are counted, the last moment too', () => {
    const buckets = bucketsOf([line(0), line(99, 'error'), line(100)], { from: 0, to: 100 }, 10);
    expect(buckets).toHaveLength(10);
    expect(buckets[0]?.counts).toEqual([0, 0, 0, 1, 0]);
    expect(buckets[9]).toEqual({ from: 90, to: 100, counts: [0, 1, 0, 1, 0] });
  });
  it('begin where the oldest line is that was read', () => {
    const shown = {
      host: 'a',
      source: 'b',
      isRequest: false,
      release: '',
      message: '',
      fields: {},
      isCut: false,
    };
    const lines = [{ ...shown, ...line(50) }];
    expect(coveredBy({ lines, more: true }, { from: 0, to: 100 })).toEqual({ from: 50, to: 100 });
    expect(coveredBy({ lines, more: false }, { from: 0, to: 100 })).toEqual({ from: 0, to: 100 });
  });
  it('show their fields beside the message', () => {
    expect(restOf({ isRequest: false, fields: { a: '1', why: 'x y', pid: '7' } })).toBe('a=1 why="x y"');
  });
});
