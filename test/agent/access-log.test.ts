import { describe, expect, it } from 'vitest';
import { parseNginxLine } from '../../src/agent/logs/access-log.ts';
import { parseTomcatLine } from '../../src/agent/logs/tomcat-log.ts';

/** As nginx 1.22 wrote it, through the proxy role's log_format. */
const NGINX =
  '{"msec":1700000000.123,"app":"checkbox","colour":"blue","release":"20240102-05c965f","method":"GET",' +
  '"uri":"/api/study/load/5e8f8c?x=1","status":200,"bytes":5475,"time":0.029,"upstream_time":"0.028",' +
  '"upstream_header_time":"0.027","upstream_status":"200","upstream_addr":"127.0.0.1:3001","id":"7f1c"}';

const changed = (changes: Record<string, unknown>): string =>
  JSON.stringify({ ...JSON.parse(NGINX), ...changes });

describe("nginx's JSON log", () => {
  it('is read', () => {
    expect(parseNginxLine(NGINX)).toEqual({
      at: 1700000000.123,
      app: 'checkbox',
      colour: 'blue',
      release: '20240102-05c965f',
      method: 'GET',
      path: '/api/study/load/5e8f8c',
      status: 200,
      bytes: 5475,
      milliseconds: 29,
      upstreamMilliseconds: 28,
      retries: 0,
    });
  });

  it.each([
    ['a static file', '', undefined, 0],
    ['no answer at all (502)', '-', undefined, 0],
    ['one attempt', '0.010', 10, 0],
    ['two attempts', '0.002, 0.010', 10, 1],
    ['an attempt without an answer', '-, 0.010', 10, 1],
    ['an internal redirect, which is no retry', '0.002 : 0.010', 10, 0],
    ['a retry and a redirect', '0.002, 0.003 : 0.010', 10, 1],
    ['nothing at the last attempt', '0.002, -', undefined, 1],
  ])('tells the upstream of %s', (_, upstream_time, upstreamMilliseconds, retries) => {
    expect(parseNginxLine(changed({ upstream_time }))).toMatchObject({ upstreamMilliseconds, retries });
  });

  it("reads a line of an earlier version's nginx, which called the colour a variant", () => {
    expect(parseNginxLine(NGINX.replace('"colour"', '"variant"'))).toEqual(parseNginxLine(NGINX));
  });

  it('takes `-` and nothing for no name', () => {
    const line = changed({ colour: '-', release: '', app: undefined });
    expect(parseNginxLine(line)).toMatchObject({ colour: '', release: '', app: '' });
  });

  it('reads 000, which nginx writes for a connection closed without an answer and which is not JSON', () => {
    expect(parseNginxLine(NGINX.replace('"status":200', '"status":000'))?.status).toBe(0);
  });

  it.each([
    ['another log format', '127.0.0.1 - - [10/Oct/2024:13:55:36 +0200] "GET / HTTP/1.1" 200 5'],
    ['half a line', NGINX.slice(0, 100)],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['no status', changed({ status: '200' })],
    ['a negative time', changed({ time: -1 })],
    ['a time that is text', changed({ time: '0.1' })],
    ['no method', changed({ method: undefined })],
    ['an endless size', changed({ bytes: 1 }).replace('"bytes":1', '"bytes":1e999')],
  ])('refuses %s', (_, line) => {
    expect(parseNginxLine(line)).toBeUndefined();
  });
});

describe("Tomcat's access log", () => {
  const LINE =
    '10.0.0.7 - - [10/Oct/2024:13:55:36 +0200] "POST /iTrust2/login;jsessionid=1A?a=b HTTP/1.1" 302 - 0.012';

  it('is read', () => {
    expect(parseTomcatLine(LINE)).toEqual({
      at: Date.UTC(2024, 9, 10, 11, 55, 36) / 1000,
      app: '',
      colour: '',
      release: '',
      method: 'POST',
      path: '/iTrust2/login;jsessionid=1A',
      status: 302,
      bytes: 0,
      milliseconds: 12,
      upstreamMilliseconds: undefined,
      retries: 0,
    });
  });

  it.each([
    ['a user with a space', LINE.replace('- - [', '- Ann Lee ['), 302],
    ['an IPv6 address', LINE.replace('10.0.0.7', '0:0:0:0:0:0:0:1'), 302],
    ['a size', LINE.replace('302 -', '200 5110'), 200],
    ['HTTP/0.9', LINE.replace(' HTTP/1.1', ''), 302],
  ])('reads %s', (_, line, status) => {
    expect(parseTomcatLine(line)?.status).toBe(status);
  });

  it('is read without durations in the pattern of stock Tomcat', () => {
    expect(parseTomcatLine(LINE.replace(' 0.012', ''))).toMatchObject({
      status: 302,
      bytes: 0,
      milliseconds: undefined,
    });
  });

  it.each([
    ['no request line', LINE.replace(/"POST.*1.1"/, '"-"')],
    ['a date that is none', LINE.replace('Oct', 'Foo')],
    ['nothing', ''],
  ])('refuses %s', (_, line) => {
    expect(parseTomcatLine(line)).toBeUndefined();
  });
});
