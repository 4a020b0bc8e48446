import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startVisitors, type VisitorCounts, type VisitorOptions } from './visitors.ts';

let close = async () => {};
afterEach(() => close());

/** What some visitors meet at a server. */
async function meet(
  listener: RequestListener,
  options: Partial<VisitorOptions> = {},
): Promise<VisitorCounts> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  close = async () => {
    server.closeAllConnections();
    server.close();
  };
  const { port } = server.address() as AddressInfo;
  const bounds = { rate: 1000, visitors: 50, seconds: 5, requests: 400 };
  return startVisitors({ address: '127.0.0.1', port, ...bounds, ...options }).ended;
}

/** A server that gives each visitor a cookie, and says a version by his number and how many have asked. */
function sticky(versionOf: (visitor: number, asked: number) => string, seen: (string | undefined)[] = []) {
  let visitors = 0;
  let asked = 0;
  return ({ headers }: IncomingMessage, answer: ServerResponse) => {
    seen.push(headers.cookie);
    const known = /^site=(\d+)$/.exec(headers.cookie ?? '')?.[1];
    const visitor = known === undefined ? visitors++ : Number(known);
    if (known === undefined) answer.setHeader('Set-Cookie', `site=${visitor}; Path=/`);
    answer.end(`version ${versionOf(visitor, asked++)}`);
  };
}

const rules = { baseline: 'one', candidate: 'two' };

describe('visitors', () => {
  it('come back with the cookie they got, and are as busy as the law says', async () => {
    const seen: (string | undefined)[] = [];
    const counts = await meet(
      sticky(() => 'one', seen),
      { fresh: 0, zipf: 1.5, requests: 1000 },
    );
    expect(counts).toMatchObject({ requests: 1000, failed: 0, dropped: 0 });
    expect(seen.filter((cookie) => cookie === undefined).length).toBeLessThanOrEqual(50);
    const each = new Map<string, number>();
    for (const cookie of seen) if (cookie !== undefined) each.set(cookie, (each.get(cookie) ?? 0) + 1);
    const busiest = Math.max(...each.values());
    // Of 2.3 in all, the first has 1: well over a quarter of the requests.
    expect(busiest).toBeGreaterThan(250);
    expect(each.size).toBeGreaterThan(20);
  });

  it('are new at a share of the requests', async () => {
    const seen: (string | undefined)[] = [];
    await meet(
      sticky(() => 'one', seen),
      { fresh: 1 },
    );
    expect(seen).toEqual(Array(400).fill(undefined));
  });

  it('refuse cookies, or send made-up ones', async () => {
    const refused: (string | undefined)[] = [];
    await meet(
      sticky(() => 'one', refused),
      { refuse: 1 },
    );
    expect(refused).toEqual(Array(400).fill(undefined));
    const forged: (string | undefined)[] = [];
    await meet(
      sticky(() => 'one', forged),
      { forge: 1, fresh: 0 },
    );
    expect(forged.filter((cookie) => cookie !== undefined).length).toBeGreaterThan(300);
    // The one that a service might take for its own is none that it gave.
    expect(forged.filter((cookie) => /^site=\d{1,15}$/.test(cookie ?? ''))).toEqual([]);
  });

  it('end after a number of requests, and after a time', async () => {
    const began = performance.now();
    expect(
      (
        await meet(
          sticky(() => 'one'),
          { requests: 30 },
        )
      ).requests,
    ).toBe(30);
    const short = await meet(
      sticky(() => 'one'),
      { seconds: 0.3, requests: 1_000_000 },
    );
    expect(short.requests).toBeLessThanOrEqual(300);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('count what failed, what was dropped, and what broke off', async () => {
    let asked = 0;
    const answers: RequestListener = (_, answer) => {
      const turn = asked++ % 4;
      if (turn === 0) answer.writeHead(503).end('version one');
      else if (turn === 1) answer.destroy();
      else if (turn === 2) {
        answer.writeHead(200, { 'content-length': 100 });
        answer.write('version one', () => answer.destroy());
      } else answer.end('version two');
    };
    const counts = await meet(answers, { again: false });
    expect(counts).toMatchObject({ requests: 400, failed: 100, dropped: 200 });
    expect(Object.fromEntries(counts.versions)).toEqual({ one: 100, two: 100 });
  });

  it('read the version where they are told to', async () => {
    const listener: RequestListener = (_, answer) => answer.setHeader('X-Version', 'v2').end('a page');
    const counts = await meet(listener, { versionOf: ({ headers }) => String(headers['x-version']) });
    expect(Object.fromEntries(counts.versions)).toEqual({ v2: 400 });
  });
});

describe('a rollout by its rules', () => {
  it('moves visitors to the candidate once, and all of them back', async () => {
    const steps = (visitor: number, asked: number) =>
      asked >= 150 && asked < 300 && visitor % 2 === 0 ? 'two' : 'one';
    const counts = await meet(sticky(steps), { rules, fresh: 0, rate: 400 });
    expect(Object.fromEntries(counts.broken)).toEqual({});
    expect([...counts.changes.keys()]).toEqual(expect.arrayContaining(['one two', 'one two one']));
  });

  it('is broken by a visitor who goes to and fro', async () => {
    const counts = await meet(
      sticky((_, asked) => (asked % 2 === 0 ? 'two' : 'one')),
      { rules, fresh: 0 },
    );
    expect([...counts.broken.keys()]).toEqual(expect.arrayContaining(['two after the return']));
    expect([...counts.broken.keys()].some((order) => order.split(' ').length > 3)).toBe(true);
  });

  it('is broken by a new visitor who gets what was taken back', async () => {
    const versions = (visitor: number, asked: number) => (asked < 200 ? 'two' : visitor > 40 ? 'two' : 'one');
    const counts = await meet(sticky(versions), { rules, visitors: 30, fresh: 0.3, rate: 500 });
    expect(counts.broken.get('two after the return')).toBeGreaterThan(10);
  });

  it('is broken by a third version', async () => {
    const counts = await meet(
      sticky((_, asked) => (asked < 200 ? 'one' : 'three')),
      { rules, fresh: 0 },
    );
    expect(counts.broken.get('one three')).toBeGreaterThan(5);
  });
});
