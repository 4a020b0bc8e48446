import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type LoadAnswer, type LoadOptions, startLoad } from '../../../src/canary/load/load.ts';
import { quantile } from '../../../src/metrics/histogram.ts';
import { asHistogram } from '../../../src/report/series.ts';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Handler = Parameters<typeof createServer>[1];

async function serve(handler: Handler): Promise<number> {
  const server = createServer(handler);
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const GET = { name: 'GET /', method: 'GET', path: '/', headers: {}, body: null, weight: 1 };

function options(port: number, over: Partial<LoadOptions> = {}): LoadOptions {
  return {
    address: '127.0.0.1',
    port,
    requests: [GET],
    rate: 100,
    seed: 1,
    timeoutMs: 2_000,
    atMost: { milliseconds: 10_000, requests: 1_000_000 },
    colourHeader: 'x-colour',
    idHeader: 'x-request-id',
    onAnswer: () => {},
    ...over,
  };
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('the load', () => {
  it('arrives at a constant rate over few connections', async () => {
    const sockets = new Set<unknown>();
    const port = await serve((request, response) => {
      sockets.add(request.socket);
      response.end('hello');
    });
    const began = performance.now();
    const load = startLoad(options(port, { rate: 200 }));
    await wait(1_000);
    // Whatever a busy machine held up was due all the same: it is sent as soon as there is time.
    const due = (200 * (performance.now() - began)) / 1000;
    const summary = await load.stop();
    expect(summary.sent).toBeGreaterThan(0.5 * due);
    expect(summary.sent).toBeLessThan(due + 2);
    expect(summary.answered).toBe(summary.sent);
    // How few depends on how busy the machine is; that they are used again does not.
    expect(sockets.size).toBeLessThan(summary.sent / 2);
  });

  it('keeps a timetable, and begins it anew', async () => {
    const asked: string[] = [];
    const port = await serve((request, response) => {
      asked.push(request.url ?? '');
      response.end();
    });
    const load = startLoad(
      options(port, {
        requests: ['/a', '/b'].map((path) => ({ ...GET, name: path, path })),
        timetable: { due: Float64Array.from([0, 30, 60]), request: Uint32Array.from([0, 1, 0]), span: 200 },
        atMost: { milliseconds: 500, requests: 1_000 },
      }),
    );
    await expect.poll(() => load.summary().answered).toBe(9);
    const summary = await load.stop();
    expect(summary.sent).toBe(9);
    expect(asked.sort().join(' ')).toBe('/a /a /a /a /a /a /b /b /b');
  });

  it('draws an id for each request, whatever the request itself says', async () => {
    const ids: unknown[] = [];
    const port = await serve((request, response) => {
      ids.push(request.headers['x-request-id']);
      response.end();
    });
    const requests = [{ ...GET, headers: { 'X-Request-ID': 'always the same' } }];
    const load = startLoad(options(port, { requests, atMost: { milliseconds: 10_000, requests: 20 } }));
    await expect.poll(() => load.summary().answered).toBe(20);
    await load.stop();
    expect(new Set(ids).size).toBe(20);
    expect(ids.every((id) => /^[0-9a-f-]{36}$/.test(String(id)))).toBe(true);
  });

  it(
    'goes on at its rate while the service stalls, and counts latency from when a request ' + 'was due',
    async () => {
      let stalled = true;
      setTimeout(() => {
        stalled = false;
      }, 500);
      const waiting: (() => void)[] = [];
      const port = await serve((_, response) => {
        if (stalled) waiting.push(() => response.end());
        else {
          for (const answer of waiting.splice(0)) answer();
          response.end();
        }
      });
      const load = startLoad(options(port));
      await wait(1_000);
      const summary = await load.stop();
      expect(summary.sent).toBeGreaterThan(90);
      // Half of the requests came during the stall of 500 ms and waited for 250 ms on average: a closed loop
      // would have seen one slow request.
      expect(quantile(asHistogram(summary.latency), 0.75)).toBeGreaterThan(150);
    },
  );

  it('divides the requests by weight and sends method, headers and body', async () => {
    const seen = new Map<string, number>();
    const port = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        const key =
          `${request.method} ${request.url} ${request.headers['content-type'] ?? ''} ${body}`.trim();
        seen.set(key, (seen.get(key) ?? 0) + 1);
        response.end();
      });
    });
    const load = startLoad(
      options(port, {
        rate: 500,
        requests: [
          { ...GET, weight: 3 },
          {
            name: 'POST /p',
            method: 'POST',
            path: '/p?a=1',
            headers: { 'content-type': 'text/plain' },
            body: Buffer.from('grüße'),
            weight: 1,
          },
        ],
      }),
    );
    await wait(1_000);
    await load.stop();
    const posts = seen.get('POST /p?a=1 text/plain grüße') ?? 0;
    expect([...seen.keys()].sort()).toEqual(['GET /', 'POST /p?a=1 text/plain grüße']);
    expect(posts / ((seen.get('GET /') ?? 0) + posts)).toBeGreaterThan(0.17);
    expect(posts / ((seen.get('GET /') ?? 0) + posts)).toBeLessThan(0.33);
  });

  it('hands over colour, status and body of each answer', async () => {
    const answers: LoadAnswer[] = [];
    const port = await serve((_, response) => {
      response.writeHead(503, { 'x-colour': 'green' }).end('no');
    });
    const load = startLoad(
      options(port, {
        atMost: { milliseconds: 10_000, requests: 3 },
        onAnswer: (answer) => answers.push(answer),
      }),
    );
    await wait(150);
    await load.stop();
    expect(answers).toHaveLength(3);
    expect(answers[0]).toMatchObject({ request: 0, colour: 'green', status: 503 });
    expect(answers[0]?.body.toString()).toBe('no');
  });

  it('counts what is refused, cut off and never answered', async () => {
    const gone = await serve(() => {});
    open.at(-1)?.close();
    await wait(20);
    const refused = startLoad(options(gone, { atMost: { milliseconds: 1e4, requests: 5 } }));
    await wait(100);
    expect(await refused.stop()).toMatchObject({ sent: 5, failed: 5, answered: 0 });

    const silent = await serve(() => {});
    const unanswered = startLoad(
      options(silent, { timeoutMs: 100, atMost: { milliseconds: 1e4, requests: 5 } }),
    );
    await wait(300);
    expect(await unanswered.stop()).toMatchObject({ sent: 5, timedOut: 5, answered: 0 });

    const cut = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half');
      setTimeout(() => response.destroy(), 10);
    });
    const broken = startLoad(options(cut, { atMost: { milliseconds: 1e4, requests: 5 } }));
    await wait(200);
    expect(await broken.stop()).toMatchObject({ sent: 5, failed: 5, answered: 0 });
  });

  it(
    'skips and says so where too many requests are under way, and ends what is left after its ' + 'grace',
    async () => {
      const port = await serve(() => {});
      const load = startLoad(options(port, { rate: 1_000, timeoutMs: 100 }));
      await wait(400);
      const summary = await load.stop(10);
      expect(summary.sent + summary.skipped).toBeGreaterThan(300);
      expect(summary.timedOut).toBe(summary.sent);

      const slow = startLoad(options(port, { rate: 1_000, timeoutMs: 1 }));
      await wait(200);
      expect((await slow.stop(10)).sent).toBeGreaterThan(100);
    },
  );

  it('ends by itself', async () => {
    let requests = 0;
    const port = await serve((_, response) => {
      requests++;
      response.end();
    });
    startLoad(options(port, { rate: 200, atMost: { milliseconds: 100, requests: 1_000 } }));
    await wait(400);
    expect(requests).toBe(20);
  });

  it('lets visitors take the steps of a flow, with cookies and what answers said', async () => {
    const tokens = new Map<string, string>();
    const ids = new Set<string>();
    const posted: string[] = [];
    const port = await serve((request, response) => {
      const sid = /sid=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
      if (request.url === '/form') {
        const fresh = `s${tokens.size}`;
        tokens.set(fresh, `t${tokens.size}`);
        response.setHeader('set-cookie', `sid=${fresh}; Path=/; HttpOnly`);
        response.end(JSON.stringify({ form: { token: tokens.get(fresh) } }));
        return;
      }
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        posted.push(body);
        ids.add(String(request.headers['x-request-id']));
        response.statusCode = sid !== undefined && body === `token=${tokens.get(sid)}` ? 201 : 403;
        response.end();
      });
    });
    const visits: (string | null)[] = [];
    const step = { ...GET, weight: 0 };
    const load = startLoad(
      options(port, {
        requests: [
          { ...step, name: 'form', path: '/form', capture: { token: { json: 'form.token' } } },
          {
            ...step,
            name: 'item',
            method: 'POST',
            path: '/items',
            // biome-ignore lint/suspicious/noTemplateCurlyInString: a name in a step
            body: Buffer.from('token=${token}'),
          },
        ],
        flows: [{ name: 'sign in', steps: [0, 1, 1], weight: 1 }],
        rate: 60,
        atMost: { milliseconds: 500, requests: 1_000 },
        onVisit: ({ endedAt }) => visits.push(endedAt),
      }),
    );
    // 60 a second are 20 visitors a second with three requests each.
    await expect.poll(() => visits.length).toBe(10);
    const summary = await load.stop();
    expect(visits).toEqual(Array(10).fill(null));
    expect(summary).toMatchObject({ sent: 30, answered: 30, failed: 0 });
    expect(ids.size).toBe(10);
    expect(new Set(posted)).toEqual(new Set([...tokens.values()].map((token) => `token=${token}`)));
  });

  it('ends a visit where an answer does not let it go on', async () => {
    const port = await serve((_, response) => response.end('{"nothing": 1}'));
    const visits: (string | null)[] = [];
    const step = { ...GET, name: 'form', weight: 0, capture: { token: { json: 'token' } } };
    const load = startLoad(
      options(port, {
        requests: [step],
        flows: [{ name: 'sign in', steps: [0, 0], weight: 1 }],
        atMost: { milliseconds: 200, requests: 1_000 },
        onVisit: ({ endedAt }) => visits.push(endedAt),
      }),
    );
    await expect.poll(() => visits.length).toBe(10);
    expect((await load.stop()).sent).toBe(10);
    expect(new Set(visits)).toEqual(new Set(['form']));
  });
});
