import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { requestOnce } from '../../src/agent/collectors/checks.ts';
import { type ProbeGround, probe } from '../../src/agent/probe.ts';
import type { ProbeWish } from '../../src/contract/probe.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(listener: RequestListener): Promise<number> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', () => resolve()));
  return (server.address() as AddressInfo).port;
}

/** Real requests; time that passes only in sleep. */
function ground(restarts: () => number = () => 0): ProbeGround & { waited: number } {
  const it = {
    waited: 0,
    ask: (ask: Parameters<ProbeGround['ask']>[0]) => requestOnce(ask, AbortSignal.timeout(2_000)),
    restarts: async () => restarts(),
    now: () => it.waited,
    sleep: async (ms: number) => {
      it.waited += ms;
    },
  };
  return it;
}

function wish(port: number, health: Partial<ProbeWish['health']> = {}): ProbeWish {
  const check = {
    method: 'GET',
    path: '/health',
    headers: {},
    timeout: 1000,
    consecutive: 2,
    within: 10_000,
  };
  return { unit: 'service.service', port, health: { ...check, ...health }, requests: [] };
}

test('is healthy after so many good answers in a row, and then asks the requests', async () => {
  let asked = 0;
  const port = await serve((request, response) => {
    if (request.url === '/health') response.statusCode = ++asked === 2 ? 500 : 200;
    if (request.url === '/new') response.statusCode = 404;
    request.pipe(response);
  });
  const body = Buffer.from('{}').toString('base64');
  const requests = [
    { method: 'POST', path: '/echo', headers: { 'content-type': 'application/json' }, body },
    { method: 'GET', path: '/new', headers: {}, body: null },
  ];
  expect(await probe({ ...wish(port), requests }, ground())).toEqual({
    answers: true,
    healthy: true,
    last: 'GET /health → 200',
    statuses: [200, 404],
  });
  expect(asked).toBe(4);
});

test('answers without becoming healthy: it waits a moment for that, not until the end', async () => {
  const port = await serve((_, response) => response.end('starting'));
  const on = ground();
  expect(await probe(wish(port, { contains: 'ready' }), on)).toMatchObject({
    answers: true,
    healthy: false,
    last: 'GET /health → 200, without "ready"',
  });
  expect(on.waited).toBeGreaterThan(1_200);
  expect(on.waited).toBeLessThanOrEqual(1_500);
});

test('takes the statuses of the definition alone', async () => {
  const port = await serve((_, response) => response.writeHead(404).end());
  expect(await probe(wish(port), ground())).toMatchObject({ healthy: true });
  expect(await probe(wish(port, { status: [200, 204] }), ground())).toMatchObject({ healthy: false });
  expect(await probe(wish(port, { status: 404 }), ground())).toMatchObject({ healthy: true });
});

test('that never answers is given up in time, or once systemd has started it three times', async () => {
  const port = await serve(() => {});
  server?.close();
  const patient = ground();
  const requests = [{ method: 'GET', path: '/', headers: {}, body: null }];
  const answer = await probe({ ...wish(port), requests }, patient);
  expect(answer).toMatchObject({ answers: false, healthy: false, statuses: [] });
  expect(answer.last).toMatch(/^GET \/health → .*ECONNREFUSED/);
  expect(patient.waited).toBeGreaterThanOrEqual(10_000);
  let times = 0;
  const hopeless = ground(() => ++times);
  expect(await probe(wish(port), hopeless)).toMatchObject({ answers: false });
  expect(hopeless.waited).toBe(400);
});
