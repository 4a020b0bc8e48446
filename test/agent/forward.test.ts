/** Logs that an agent sends to stores: the form that each publishes, and that none is lost. */

import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type ForwardedLine, jsonlineBody, lokiBody, syslogFrames } from '../../src/agent/forward/forms.ts';
import { forwardLogs } from '../../src/agent/forward/forward.ts';
import { openStore } from '../../src/agent/forward/stores.ts';

const line = (change: Partial<ForwardedLine> = {}): ForwardedLine => ({
  ...{ at: 1764417600123.456, host: 'web', app: 'shop', source: 'blue', isRequest: false, level: 'error' },
  ...{ release: '', message: 'no card', fields: {}, isCut: false },
  ...change,
});

describe('the form', () => {
  it("of Loki's push API: streams of labels, times in nanoseconds as text", () => {
    const other = line({ level: 'info', fields: { order: '7' }, release: 'r1' });
    expect(JSON.parse(lokiBody([line(), line({ at: 1764417601000 }), other]))).toEqual({
      streams: [
        {
          stream: { job: 'pipeline', host: 'web', app: 'shop', source: 'blue', level: 'error' },
          values: [
            ['1764417600123456000', 'no card'],
            ['1764417601000000000', 'no card'],
          ],
        },
        {
          stream: { job: 'pipeline', host: 'web', app: 'shop', source: 'blue', level: 'info' },
          values: [['1764417600123456000', '{"order":"7","msg":"no card","release":"r1"}']],
        },
      ],
    });
  });
  it('of jsonline: an object a line, whose own fields win', () => {
    const [first, second, end] = jsonlineBody([line({ fields: { _time: 'x', a: 'b' } }), line()]).split('\n');
    expect(JSON.parse(first ?? '')).toEqual({
      ...{ _time: '2025-11-29T12:00:00.123456Z', _msg: 'no card', host: 'web', app: 'shop', source: 'blue' },
      ...{ level: 'error', a: 'b' },
    });
    expect([JSON.parse(second ?? '')._msg, end]).toEqual(['no card', '']);
  });
  it('of syslog: RFC 5424, each with its length in bytes', () => {
    const text = syslogFrames([
      line({ message: 'zu spät', fields: { a: 'b' } }),
      line({ app: '', source: 'ssh d' }),
    ]);
    expect(framesOf(text)).toEqual([
      '<27>1 2025-11-29T12:00:00.123456Z web shop blue - - zu spät a="b"',
      '<27>1 2025-11-29T12:00:00.123456Z web ssh_d ssh_d - - no card',
    ]);
  });
});

/** What a server of syslog reads: a length, a space, so many bytes. @throws Error where it is none */
function framesOf(text: string): readonly string[] {
  const found: string[] = [];
  for (let rest = Buffer.from(text); rest.length > 0; ) {
    const space = rest.indexOf(32);
    const length = Number(rest.toString('utf8', 0, space));
    if (!Number.isInteger(length)) throw new Error(`no length: ${rest}`);
    if (rest.length < space + 1 + length) break;
    found.push(rest.toString('utf8', space + 1, space + 1 + length));
    rest = rest.subarray(space + 1 + length);
  }
  return found;
}

describe('an agent that forwards', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-forward-'));
  const servers: (Server | TcpServer)[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const entry = (number: number, unit = 'pipeline-shop@blue.service') =>
    JSON.stringify({
      ...{ __CURSOR: `c${number}`, __REALTIME_TIMESTAMP: String(1764417600000000 + number), PRIORITY: '6' },
      ...{ _SYSTEMD_UNIT: unit, _PID: '1', MESSAGE: `line ${number} password=hunter22` },
    });

  /** A journal that holds these entries, and notes what it is asked for. */
  function journal(entries: readonly string[]): string {
    const path = join(folder, `journalctl-${Math.random()}`);
    writeFileSync(`${path}.txt`, `${entries.join('\n')}\n`);
    writeFileSync(path, `#!/bin/sh\necho "$@" >>${path}.asked\ncat ${path}.txt\nexec sleep 60\n`);
    chmodSync(path, 0o755);
    return path;
  }

  async function receiver(answer: (body: string) => number): Promise<string> {
    const server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const status = answer(`${request.method} ${request.url}\n${Buffer.concat(parts)}`);
      if (status === 0) request.socket.destroy();
      else response.writeHead(status).end();
    });
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const run = (journalctl: string, to: Parameters<typeof openStore>[0], place?: string) => {
    const stop = new AbortController();
    const said: string[] = [];
    const ended = forwardLogs({
      ...{ host: 'web', units: ['pipeline-*@*.service'], store: openStore(to), place, journalctl },
      ...{ log: (text: string) => said.push(text), signal: stop.signal },
    });
    const end = () => {
      stop.abort();
      return ended;
    };
    return { said, end };
  };

  it('sends every line of its units once the store takes it, and remembers its place', async () => {
    const got: string[] = [];
    const statuses = [503, 0, 204];
    const url = await receiver((body) => {
      const status = statuses.shift() ?? 204;
      if (status === 204) got.push(body);
      return status;
    });
    const place = join(folder, 'place');
    const numbers = Array.from({ length: 1200 }, (_, index) => index);
    const path = journal([entry(9999, 'stranger.service'), ...numbers.map((number) => entry(number))]);
    const forwarding = run(path, { kind: 'loki', url, headers: {} }, place);
    const lines = () =>
      got.flatMap((body) =>
        (
          JSON.parse(body.slice(body.indexOf('\n') + 1)) as { streams: { values: string[][] }[] }
        ).streams.flatMap(({ values }) => values.map(([, text]) => text)),
      );
    await expect.poll(() => lines().length, { timeout: 15_000 }).toBe(1200);
    expect(lines()).toEqual(numbers.map((number) => `line ${number} password=***`));
    expect(got[0]?.split('\n')[0]).toBe('POST /loki/api/v1/push');
    await expect.poll(() => readFileSync(place, 'utf8')).toBe('c1199\n');
    await forwarding.end();
    expect(forwarding.said).toEqual([
      'Logs are not forwarded: the store says that it answered 503. Lines wait in the journal.',
      'Logs are forwarded again.',
    ]);
    const again = run(path, { kind: 'victorialogs', url, headers: {} }, place);
    await expect
      .poll(() => readFileSync(`${path}.asked`, 'utf8'), { timeout: 5_000 })
      .toContain('--after-cursor=c1199');
    await again.end();
  });

  it('reads no further than a batch while the store is away, and leaves out what it refuses', async () => {
    let asked = 0;
    const url = await receiver((body) => {
      asked++;
      expect(body.split('\n').length).toBeLessThan(600);
      return body.includes('line 0 ') ? 400 : 200;
    });
    const many = Array.from({ length: 1000 }, (_, index) => entry(index));
    const forwarding = run(journal(many), { kind: 'victorialogs', url, headers: {} });
    await expect.poll(() => asked, { timeout: 10_000 }).toBe(2);
    await forwarding.end();
    expect(forwarding.said[0]).toContain('500 lines are left out');
  });

  it('connects to a server of syslog again', async () => {
    const texts: string[] = [];
    const server = createTcp((socket) => {
      socket.on('data', (data) => {
        texts.push(String(data));
      });
      socket.on('error', () => {});
    });
    const listen = (port: number) => once(server.listen(port, '127.0.0.1'), 'listening');
    servers.push(server);
    await listen(0);
    const { port } = server.address() as AddressInfo;
    server.close();
    const url = `tcp://127.0.0.1:${port}`;
    const forwarding = run(journal([entry(1), entry(2)]), { kind: 'syslog', url, headers: {} });
    await expect.poll(() => forwarding.said.length, { timeout: 5_000 }).toBe(1);
    await listen(port);
    await expect.poll(() => framesOf(texts.join('')).length, { timeout: 10_000 }).toBe(2);
    expect(framesOf(texts.join(''))[0]).toBe(
      '<30>1 2025-11-29T12:00:00.000001Z web shop blue - - line 1 password=***',
    );
    await forwarding.end();
  });
});
