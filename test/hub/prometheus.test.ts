import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { uncompress } from 'snappyjs';
import { afterEach, describe, expect, it } from 'vitest';
import { newHost, remember } from '../../src/hub/intake/fleet.ts';
import { exposition } from '../../src/hub/prometheus/exposition.ts';
import { RemoteWrite, type RemoteWriteOptions } from '../../src/hub/prometheus/remote-write.ts';
import { Totals } from '../../src/hub/prometheus/totals.ts';
import { writeRequest } from '../../src/hub/prometheus/write-request.ts';
import type { Window } from '../../src/metrics/catalogue.ts';
import { window } from '../metrics/windows.ts';

const NOW = 1_800_000_000_000;
const check = (name: string) => ({ check: name, target: '', up: 1, duration: 250, error: '' });
const requests = (release: string, count: number, milliseconds: number): Window['routes'][number] => ({
  server: 'nginx',
  app: 'shop',
  colour: 'blue',
  release,
  method: '*',
  route: '*',
  requests: count,
  status_2xx: count - 1,
  status_3xx: 0,
  status_4xx: 0,
  status_5xx: 1,
  retries: 0,
  bytes: 10 * count,
  latency: {
    sum: count * milliseconds,
    zero: 0,
    counts: { [Math.ceil(Math.log(milliseconds) / Math.log(1.02))]: count },
  },
  size: { sum: 0, zero: 0, counts: {} },
});

/**
 * Every family has help and type before its samples, and no series is there twice: what promtool asks for
 * besides names.
 */
function parse(text: string): Map<string, number> {
  const series = new Map<string, number>();
  let family = '';
  for (const line of text.trim().split('\n')) {
    const [, kind, name] = /^# (HELP|TYPE) (\S+) /.exec(line) ?? [];
    if (kind === 'HELP') family = name ?? '';
    else if (kind === 'TYPE') expect(name).toBe(family);
    else {
      const [, sample = '', value] = /^(.+) (\S+)$/.exec(line) ?? [];
      expect(sample.startsWith(family), line).toBe(true);
      expect(series.has(sample), line).toBe(false);
      series.set(sample, Number(value));
    }
  }
  return series;
}

describe('the exposition', () => {
  const host = newHost('web');
  remember(host, window({ host: 'web', at: NOW, checks: [check('a"b\\c\n')] }), NOW);
  const totals = new Totals();

  it('has base units, escapes what hosts call their things, and leaves out what silent hosts said', () => {
    const silent = newHost('db');
    remember(silent, window({ host: 'db', at: NOW, checks: [check('x')] }), NOW - 60_000);
    const text = exposition({ fleet: [host, silent], totals, remoteWrite: undefined }, NOW);
    const series = parse(text);
    expect(series.get('pipeline_checks_duration_seconds{host="web",check="a\\"b\\\\c\\n"}')).toBe(0.25);
    expect(series.get('pipeline_up{host="db"}')).toBe(0);
    expect([...series.keys()].filter((key) => key.includes('"db"') && !/_up|_total/.test(key))).toEqual([]);
  });

  it('counts requests over windows, with cumulative buckets', () => {
    totals.add('web', [requests('r1', 10, 20)]);
    totals.add('web', [requests('r1', 5, 2000), requests('r2', 1, 1)]);
    const series = parse(exposition({ fleet: [host], totals, remoteWrite: undefined }, NOW));
    const labels = 'host="web",server="nginx",app="shop",colour="blue",release="r1"';
    expect(series.get(`pipeline_http_requests_total{${labels},code="5xx"}`)).toBe(2);
    expect(series.get(`pipeline_http_requests_total{${labels},code="2xx"}`)).toBe(13);
    const bucket = (le: string) =>
      series.get(`pipeline_http_request_duration_seconds_bucket{${labels},le="${le}"}`);
    expect(['0.01', '0.025', '1', '2.5', '+Inf'].map(bucket)).toEqual([0, 10, 10, 15, 15]);
    expect(series.get(`pipeline_http_request_duration_seconds_count{${labels}}`)).toBe(15);
    expect(series.get(`pipeline_http_request_duration_seconds_sum{${labels}}`)).toBeCloseTo(10.2, 6);
  });
});

interface Series {
  readonly labels: Record<string, string>;
  readonly value: number;
  readonly at: number;
}

/** Reads `prometheus.WriteRequest`: a reader of its own, from the specification. */
function readRequest(bytes: Buffer): Series[] {
  return fields(bytes).map(({ data }) => {
    const labels: Record<string, string> = {};
    let [value, at] = [Number.NaN, 0];
    for (const { number, data: part } of fields(data)) {
      if (number === 1) {
        const [name, text] = fields(part).map(({ data: word }) => word.toString());
        labels[name ?? ''] = text ?? '';
      } else
        for (const inner of fields(part)) {
          if (inner.number === 1) value = inner.data.readDoubleLE();
          else at = inner.varint;
        }
    }
    return { labels, value, at };
  });
}

function fields(bytes: Buffer): { number: number; data: Buffer; varint: number }[] {
  const found: { number: number; data: Buffer; varint: number }[] = [];
  let at = 0;
  const varint = () => {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      factor *= 128;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [number, type] = [key >> 3, key & 7];
    const value = type === 1 ? 0 : varint();
    const length = type === 1 ? 8 : type === 2 ? value : 0;
    found.push({ number, data: bytes.subarray(at, at + length), varint: value });
    at += length;
  }
  return found;
}

it('a write request has sorted labels without empty ones, and times beyond 32 bits', () => {
  const labels = { zone: 'ü', __name__: 'up', empty: '', app: 'x'.repeat(300) };
  const [series] = readRequest(writeRequest([{ labels, value: -1.5, at: NOW }]));
  expect(series).toEqual({
    labels: { __name__: 'up', app: 'x'.repeat(300), zone: 'ü' },
    value: -1.5,
    at: NOW,
  });
  expect(Object.keys(series?.labels ?? {})).toEqual(['__name__', 'app', 'zone']);
});

describe('remote write', () => {
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  /** A receiver that gives these answers, then 204, and what it was sent. */
  async function receiver(...answers: number[]) {
    const taken: Series[] = [];
    const heard: IncomingHttpHeaders[] = [];
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const status = answers.shift() ?? 204;
        heard.push(request.headers);
        if (status === 204) taken.push(...readRequest(Buffer.from(uncompress(Buffer.concat(parts)))));
        // As a store that repeats what it was sent.
        const said = status === 401 ? `no right: ${request.headers.authorization}` : 'no';
        response.writeHead(status).end(status === 204 ? undefined : said);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(() => server.close());
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/write`, taken, heard };
  }

  function forward(url: string, options: Partial<RemoteWriteOptions> = {}) {
    const stop = new AbortController();
    const lines: string[] = [];
    const write = new RemoteWrite({
      url,
      headers: { authorization: 'Bearer x' },
      totals: new Totals(),
      signal: stop.signal,
      log: (line) => lines.push(line),
      firstDelayMs: 5,
      ...options,
    });
    const running = write.run();
    ends.push(() => stop.abort());
    return { write, lines, running };
  }
  const sample = (at: number) => window({ host: 'web', at, checks: [check('site')] });

  it('brings every sample with its own time, after failures too, in order', async () => {
    const { url, taken, heard } = await receiver(503, 429);
    const { write, lines } = forward(url);
    for (let i = 0; i < 3; i++) write.push(sample(NOW + i));
    await expect.poll(() => write.state).toEqual({ queued: 0, sent: 6, dropped: 0, trouble: '' });
    const durations = taken.filter(({ labels }) => labels.__name__ === 'pipeline_checks_duration_seconds');
    expect(durations).toEqual(
      [0, 1, 2].map((i) => ({
        labels: { __name__: 'pipeline_checks_duration_seconds', check: 'site', host: 'web' },
        value: 0.25,
        at: NOW + i,
      })),
    );
    expect(heard[0]).toMatchObject({ authorization: 'Bearer x', 'content-encoding': 'snappy' });
    expect(lines.at(-1)).toBe('Remote write: samples are taken again.');
  });

  it('drops what the store calls wrong, counts it and goes on', async () => {
    const { url } = await receiver(400);
    const { write, lines } = forward(url);
    write.push(sample(NOW));
    await expect.poll(() => write.state.dropped).toBe(2);
    write.push(sample(NOW + 1));
    await expect.poll(() => write.state).toEqual({ queued: 0, sent: 2, dropped: 2, trouble: '' });
    expect(lines[0]).toBe('Remote write: the other store answers 400: "no".');
  });

  it('sends the credentials of an address as a header, and shows them nowhere', async () => {
    const { url, heard, taken } = await receiver(401, 503);
    const { write, lines } = forward(url.replace('//', '//ann:s3cret%23%2F@'), { headers: {} });
    const states: string[] = [];
    write.push(sample(NOW));
    const state = () => {
      states.push(JSON.stringify(write.state));
      return write.state;
    };
    await expect.poll(() => state().dropped).toBe(2);
    write.push(sample(NOW + 1));
    await expect.poll(() => state().sent).toBe(2);
    expect(taken).toHaveLength(2);
    const basic = Buffer.from('ann:s3cret#/').toString('base64');
    expect(heard.map(({ authorization }) => authorization)).toEqual(Array(3).fill(`Basic ${basic}`));
    expect(lines[0]).toBe('Remote write: the other store answers 401: "no right: Basic ***".');
    for (const text of [...states, ...lines]) expect(text).not.toMatch(new RegExp(`s3cret|${basic}`));
  });

  it('keeps the newest and counts the rest where the store is away', async () => {
    const { write } = forward('http://127.0.0.1:9/write', { mostQueued: 10 });
    await expect
      .poll(() => {
        write.push(sample(NOW));
        return write.state.dropped;
      })
      .toBeGreaterThan(20);
    expect(write.state.queued).toBeLessThanOrEqual(10);
    expect(write.state.trouble).toContain('does not answer');
  });
});
