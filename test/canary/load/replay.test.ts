import { describe, expect, it } from 'vitest';
import {
  coverage,
  hastened,
  replayOf,
  type ServedRequest,
  servedRequest,
} from '../../../src/canary/load/replay.ts';

const get = (at: number, uri: string, method = 'GET'): ServedRequest => ({ at, uri, method });

const ALL = { routes: ['/'], exclude: [] };

describe('a replay', () => {
  const served = [
    get(3000, '/items?page=2'),
    get(1000, '/'),
    get(1500, '/items?page=1'),
    get(1600, '/pay', 'POST'),
    get(2000, '/', 'HEAD'),
    get(2500, '/logout'),
    get(2700, '/?token=***'),
    get(3000, '/'),
  ];
  const replay = replayOf(served, { routes: ['/'], exclude: ['/logout'] });

  it('asks what was asked, the most frequent first, as often', () => {
    expect(replay?.requests.map(({ name, method, path, weight }) => [name, method, path, weight])).toEqual([
      ['GET /', 'GET', '/', 2],
      ['GET /items?page=2', 'GET', '/items?page=2', 1],
      ['GET /items?page=1', 'GET', '/items?page=1', 1],
      ['HEAD /', 'HEAD', '/', 1],
    ]);
  });

  it('keeps the distances, and begins anew after the usual one', () => {
    expect([...(replay?.timetable.due ?? [])]).toEqual([0, 500, 1000, 2000, 2000]);
    expect([...(replay?.timetable.request ?? [])].map((index) => replay?.requests[index]?.name)).toEqual([
      'GET /',
      'GET /items?page=1',
      'HEAD /',
      'GET /items?page=2',
      'GET /',
    ]);
    expect(replay?.timetable.span).toBe(2500);
    expect(replay?.rate).toBe(2);
  });

  it('goes twice as fast where it is asked to', () => {
    const { timetable } = replay ?? { timetable: undefined };
    expect(timetable && hastened(timetable, 2)).toMatchObject({
      due: Float64Array.from([0, 250, 500, 1000, 1000]),
      span: 1250,
    });
  });

  it('says what of production it is', () => {
    expect(replay?.covers).toEqual({ requests: 5, ofRequests: 8, paths: 3, ofPaths: 5 });
    expect(replay && coverage(replay)).toBe(
      "The load replays 62 % of production's requests (5 of 8), with 3 of its 5 paths: GET and " +
        'HEAD, without cookies, bodies or headers.',
    );
  });

  it('is none where nothing may be sent', () => {
    expect(replayOf([get(1, '/pay', 'POST'), get(2, 'http://other/')], ALL)).toBeNull();
    expect(replayOf([], ALL)).toBeNull();
  });

  it('leaves out files, which the proxy serves itself', () => {
    const replay = replayOf([get(1, '/'), get(2, '/api/items')], { routes: ['/api'], exclude: [] });
    expect(replay?.requests.map(({ path }) => path)).toEqual(['/api/items']);
  });

  it('of a single request asks it once a second', () => {
    expect(replayOf([get(5, '/')], ALL)).toMatchObject({ rate: 1, timetable: { span: 1000 } });
  });

  it('keeps a thousand different requests, the most frequent', () => {
    const many = Array.from({ length: 3000 }, (_, index) => get(index, `/${index % 1500}`));
    const often = Array.from({ length: 3000 }, (_, index) => get(index, `/often/${index % 900}`));
    const all = replayOf([...many, ...often], ALL);
    expect(all?.requests).toHaveLength(1000);
    expect(all?.requests.filter(({ path }) => String(path).startsWith('/often'))).toHaveLength(900);
  });
});

describe('a line of a log', () => {
  it.each<[string, string, ServedRequest | undefined]>([
    [
      'of `pipeline logs --requests --json`',
      '{"at":"2026-11-25T14:00:00.250000Z","host":"web","kind":"request","message":"GET /a?b=1 200 3 ms"}',
      get(Date.parse('2026-11-25T14:00:00.250Z'), '/a?b=1'),
    ],
    [
      "of nginx's log",
      '{"msec":1700000000.5,"method":"HEAD","uri":"/","status":200}',
      get(1.7000000005e12, '/', 'HEAD'),
    ],
    ['of a journal', '{"at":"2026-11-25T14:00:00Z","kind":"log","message":"GET ready"}', undefined],
    ['that was cut', '{"at":"2026-11-25T14:00:00Z","message":"GET /aaa 200","cut":true}', undefined],
    ['that is no JSON', 'GET / HTTP/1.1', undefined],
    ['that is null', 'null', undefined],
  ])('%s', (_, line, request) => {
    expect(servedRequest(line)).toEqual(request);
  });
});
