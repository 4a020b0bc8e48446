import { describe, expect, it } from 'vitest';
import { matchingNames, toRow } from '../../src/agent/collectors/access-logs.ts';
import type { AccessLogEntry } from '../../src/agent/logs/access-log.ts';
import { OTHER_ROUTE } from '../../src/agent/logs/routes.ts';
import { LoggedTraffic } from '../../src/agent/logs/traffic.ts';
import { countOf } from '../../src/metrics/histogram.ts';

const entry = (changes: Partial<AccessLogEntry> = {}): AccessLogEntry => ({
  at: 1_700_000_000,
  app: 'preview',
  colour: 'blue',
  release: 'r1',
  method: 'POST',
  path: '/preview',
  status: 200,
  bytes: 5475,
  milliseconds: 12,
  upstreamMilliseconds: 11,
  retries: 0,
  ...changes,
});

const taken = (entries: readonly AccessLogEntry[], maxGroups?: number) => {
  const traffic = new LoggedTraffic({ maxGroups });
  for (const each of entries) traffic.record(each);
  return traffic.take();
};

describe('traffic', () => {
  it('is told apart by colour, release, method and route', () => {
    const groups = taken([
      entry(),
      entry({ colour: 'green' }),
      entry({ release: 'r2' }),
      entry({ method: 'GET' }),
      entry({ path: '/json' }),
      entry({ app: 'checkbox' }),
      entry(),
    ]);
    expect(groups.map(({ requests }) => requests)).toEqual([2, 1, 1, 1, 1, 1]);
  });

  it('measures the answers below 500 alone: a fast error is no fast answer', () => {
    const [group] = taken([
      entry(),
      entry({ status: 404, milliseconds: 1 }),
      entry({ status: 500, milliseconds: 0 }),
    ]);
    expect(group).toMatchObject({ requests: 3, status: { 200: 1, 404: 1, 500: 1 }, bytes: 3 * 5475 });
    expect(group && [group.latency, group.size, group.upstream].map(countOf)).toEqual([2, 2, 2]);
  });

  it('has no latency of a connection that was closed without an answer', () => {
    const [group] = taken([entry({ status: 0 })]);
    expect(group?.status).toEqual({ '000': 1 });
    expect(group && countOf(group.latency)).toBe(0);
  });

  it('begins again after every interval', () => {
    const traffic = new LoggedTraffic();
    traffic.record(entry());
    expect(traffic.take()).toHaveLength(1);
    expect(traffic.take()).toEqual([]);
  });

  it('calls methods that clients invent other', () => {
    expect(
      taken([entry({ method: 'HACK' }), entry({ method: 'PWN' })]).map(({ method, requests }) => [
        method,
        requests,
      ]),
    ).toEqual([['other', 2]]);
  });

  it('stays within its bound and loses no request', () => {
    const word = (n: number): string => 'abcdefghij'[n % 10] ?? '';
    const entries = Array.from({ length: 5000 }, (_, i) =>
      entry({ app: `app${i % 70}`, release: `r${i % 9}`, path: `/${word(i)}/${word(Math.floor(i / 10))}` }),
    );
    const groups = taken(entries, 60);
    expect(groups.length).toBeLessThanOrEqual(81);
    expect(groups.reduce((sum, { requests }) => sum + requests, 0)).toBe(5000);
    expect(groups.some(({ app, route }) => app === OTHER_ROUTE && route === OTHER_ROUTE)).toBe(true);
  });

  it('becomes a row with classes of status', () => {
    const [counts] = taken([200, 201, 304, 404, 499, 502, 101].map((status) => entry({ status })));
    expect(counts && toRow('nginx', counts)).toMatchObject({
      server: 'nginx',
      requests: 7,
      status_2xx: 2,
      status_3xx: 1,
      status_4xx: 2,
      status_5xx: 1,
    });
  });
});

it.each([
  ['*.json.log', ['a.json.log', 'b.json.log']],
  ['access.*', ['access.log']],
  ['a*.log', ['a.json.log', 'access.log']],
  ['nothing*', []],
])('%s names its files and no others', (pattern, expected) => {
  expect(matchingNames(['a.json.log', 'b.json.log', 'access.log', 'a.json.log.1.gz'], pattern)).toEqual(
    expected,
  );
});
