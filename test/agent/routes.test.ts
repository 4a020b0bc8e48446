import { describe, expect, it } from 'vitest';
import { normaliseSegment, OTHER_ROUTE, RouteTable } from '../../src/agent/logs/routes.ts';

describe('a segment', () => {
  it.each([
    ['42', ':id'],
    ['5e8f8c4b2a1d3e0012345678', ':id'],
    ['1f0e3dad99908345f7439f8ffabdffc4', ':id'],
    ['123e4567-e89b-12d3-a456-426614174000', ':id'],
    ['2024-05-01', ':id'],
    ['ann@example.org', ':id'],
    ['dQw4w9WgXcQ_7aBcDeFg', ':id'],
    ['x'.repeat(65), ':id'],
    ['app.3f9a1c2b.js', 'app.:id.js'],
    ['main-5e8fA1b2c.css', 'main.:id.css'],
    ['login;jsessionid=1A2B', 'login'],
    ['study', 'study'],
    ['v2', 'v2'],
    ['iTrust2', 'iTrust2'],
    ['decade', 'decade'],
    ['facade', 'facade'],
    ['survey.md', 'survey.md'],
    ['jquery-3.4.1.min.js', 'jquery-3.4.1.min.js'],
    ['checkbox-io-micro-preview', 'checkbox-io-micro-preview'],
    ['editAppointmentRequest', 'editAppointmentRequest'],
  ])('%s is %s', (segment, expected) => {
    expect(normaliseSegment(segment)).toBe(expected);
  });
});

const ask = (table: RouteTable, paths: readonly string[], status = 200) =>
  paths.map((path) => table.route(path, status));

describe('routes', () => {
  it.each([
    ['/', '/'],
    ['//', '/'],
    ['/api/study/load/5e8f8c4b2a1d3e0012345678', '/api/study/load/:id'],
    ['/api//study/listing/', '/api/study/listing'],
    ['/a/b/c/d/e/f/g/h/i/j', '/a/b/c/d/e/f/g/h'],
  ])('%s is %s', (path, expected) => {
    expect(new RouteTable().route(path, 200)).toBe(expected);
  });

  it('that are known beforehand are taken as they are', () => {
    const table = new RouteTable({ patterns: ['/api/study/load/:id'] });
    expect(ask(table, ['/api/study/load/RESEARCH', '/api/study/load/abc'], 404)).toEqual(
      Array(2).fill('/api/study/load/:id'),
    );
  });

  it('learn that a place with many words holds an identifier, and keep its busy words', () => {
    const table = new RouteTable();
    const words = Array.from(
      { length: 60 },
      (_, i) => `/user/name${String.fromCharCode(97 + (i % 26))}x${'y'.repeat(i)}`,
    );
    for (let i = 0; i < 100; i++) table.route('/user/login', 200);
    ask(table, words);
    expect(ask(table, ['/user/login', words[0] ?? '', '/user/new'])).toEqual([
      '/user/login',
      '/user/:id',
      '/user/:id',
    ]);
  });

  it('keep what lies below an identifier', () => {
    const table = new RouteTable();
    expect(ask(table, ['/user/1/edit', '/user/2/edit'])).toEqual(['/user/:id/edit', '/user/:id/edit']);
  });

  it('are not invented by scanners: what was never answered but by 404 is `other`', () => {
    const table = new RouteTable();
    expect(ask(table, ['/wp-admin', '/.env', '/a/b/c'], 404)).toEqual([
      OTHER_ROUTE,
      OTHER_ROUTE,
      OTHER_ROUTE,
    ]);
    table.route('/page', 200);
    expect(table.route('/page', 404)).toBe('/page');
  });

  it('are bounded, whatever is asked for', () => {
    const table = new RouteTable({ maxRoutes: 20 });
    const seen = new Set<string>();
    let other = 0;
    for (let i = 0; i < 20_000; i++) {
      const word = (n: number): string => `w${'abcdefghij'[n % 10]}${'klmnopqrst'[Math.floor(n / 10) % 10]}`;
      const route = table.route(`/${word(i)}/${word(i * 7)}/${word(i * 13)}/${i}`, 200);
      seen.add(route);
      if (route === OTHER_ROUTE) other++;
    }
    expect(seen.size).toBeLessThanOrEqual(3 * 20);
    expect(other).toBeGreaterThan(0);
    expect(table.route('/brand/new', 200)).toBe(OTHER_ROUTE);
  });
});
