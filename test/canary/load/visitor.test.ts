// biome-ignore-all lint/suspicious/noTemplateCurlyInString: names in steps are what is tested
import { describe, expect, it } from 'vitest';
import { captured, Visitor } from '../../../src/canary/load/visitor.ts';

const STEP = { name: 'GET /', method: 'GET', path: '/', headers: {}, body: null, weight: 0 };
const answer = (
  over: { body?: string; status?: number; headers?: Record<string, string | string[]> } = {},
) => ({
  status: over.status ?? 200,
  headers: over.headers ?? {},
  body: Buffer.from(over.body ?? ''),
});

describe('a virtual visitor', () => {
  it('writes what answers said into path, headers and body, and $${ stays', () => {
    const visitor = new Visitor('0a1b2c3d-0000-0000-0000-000000000000');
    const capture = { id: { json: 'items.0.id' }, csrf: { regex: 'name="_csrf" value="([^"]+)"' } };
    const page = '{"items": [{"id": 7}], "page": "<input name=\\"_csrf\\" value=\\"x1\\">"}';
    const found = { id: capture.id, csrf: { regex: 'value=\\\\"([^"\\\\]+)' } };
    expect(visitor.take({ ...STEP, capture: found }, answer({ body: page }))).toBe(true);
    const filled = visitor.fill({
      ...STEP,
      path: '/items/${id}?by=${visitor}',
      headers: { 'x-csrf': '${csrf}' },
      body: Buffer.from('{"id": ${id}, "text": "$${id}"}'),
    });
    expect(filled.path).toBe('/items/7?by=0a1b2c3d0000');
    expect(filled.headers).toEqual({ 'x-csrf': 'x1' });
    expect(filled.body?.toString()).toBe('{"id": 7, "text": "${id}"}');
  });

  it('goes where a Location leads, and sends nothing that HTTP does not carry', () => {
    const visitor = new Visitor('a');
    const step = { ...STEP, status: [302], capture: { next: { header: 'Location' } } };
    const headers = { location: 'http://proxy:80/study/hello world' };
    expect(visitor.take(step, answer({ status: 302, headers }))).toBe(true);
    const filled = visitor.fill({ ...STEP, path: '${next}', headers: { 'x-next': 'a${next}\r\nb: c' } });
    expect(filled.path).toBe('/study/hello%20world');
    expect(filled.headers).toEqual({ 'x-next': 'ahttp://proxy:80/study/hello world b: c' });
  });

  it('keeps cookies by path until they end', () => {
    const visitor = new Visitor('a');
    const set = (...lines: string[]) => visitor.take(STEP, answer({ headers: { 'set-cookie': lines } }));
    set('sid=1; Path=/; HttpOnly; Secure', 'app=2; Path=/app', 'old=3; Max-Age=60');
    expect(visitor.fill({ ...STEP, path: '/app/x?y' }).headers).toEqual({ cookie: 'sid=1; app=2; old=3' });
    expect(visitor.fill({ ...STEP, path: '/apple' }).headers).toEqual({ cookie: 'sid=1; old=3' });
    set('old=; Max-Age=0', 'sid=; Expires=Thu, 01 Jan 1970 00:00:00 GMT');
    expect(visitor.fill(STEP).headers).toEqual({});
  });

  it.each([
    ['an error', answer({ status: 500 }), {}, false],
    ['a refusal', answer({ status: 403 }), {}, false],
    ['a refusal that is expected', answer({ status: 403 }), { status: [403] }, true],
    ['a status that is not', answer({ status: 200 }), { status: [302] }, false],
    ['a value that is not there', answer({ body: '{}' }), { capture: { id: { json: 'id' } } }, false],
    ['no JSON', answer({ body: '<html>' }), { capture: { id: { json: 'id' } } }, false],
  ] as const)('goes on or not after %s', (_, seen, step, goesOn) => {
    expect(new Visitor('a').take({ ...STEP, ...step }, seen)).toBe(goesOn);
  });

  it('takes the whole match where an expression has no group, and objects as JSON', () => {
    expect(captured({ regex: '[0-9]+' }, answer({ body: 'item 42' }))).toBe('42');
    expect(captured({ json: 'a' }, answer({ body: '{"a": {"b": true}}' }))).toBe('{"b":true}');
    expect(captured({ json: 'a' }, answer({ body: '{"a": null}' }))).toBeUndefined();
  });
});
