import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { quietContext } from '../../src/context.ts';
import { prometheusAt } from '../../src/metrics/prometheus.ts';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

type Answer = (request: IncomingMessage, form: URLSearchParams, response: ServerResponse) => void;

/** Answers as Prometheus' HTTP API does. */
async function fake(answer: Answer): Promise<string> {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => answer(request, new URLSearchParams(text), response));
  });
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const json =
  (status: number, body: unknown): Answer =>
  (_, __, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const matrix = (result: unknown) => ({ status: 'success', data: { resultType: 'matrix', result } });
const QUERY = { query: 'up', start: 1_000, end: 1_120, step: 60 };
const ask = (url: string, env: Record<string, string> = {}, timeoutMs = 5_000) =>
  prometheusAt(url, quietContext({ env }), timeoutMs).range(QUERY, 'metric "up"');

describe('Prometheus', () => {
  it('is asked for values over time, and answers with a series for each set of labels', async () => {
    let seen: unknown;
    const url = await fake((request, form, response) => {
      seen = [request.method, request.url, Object.fromEntries(form), request.headers.authorization];
      const values = [
        [1000, '1'],
        [1060, 'NaN'],
        [1120, '+Inf'],
      ];
      json(
        200,
        matrix([
          { metric: { job: 'a' }, values },
          { metric: { job: 'b' }, values: [[1000, '2.5e-1']] },
        ]),
      )(request, form, response);
    });
    expect(await ask(`${url}/prometheus/`, { PIPELINE_PROMETHEUS_AUTHORIZATION: 'Bearer x' })).toEqual({
      series: [
        {
          labels: { job: 'a' },
          times: [1000, 1060, 1120],
          values: [1, Number.NaN, Number.POSITIVE_INFINITY],
        },
        { labels: { job: 'b' }, times: [1000], values: [0.25] },
      ],
      warnings: [],
    });
    expect(seen).toEqual([
      'POST',
      '/prometheus/api/v1/query_range',
      { query: 'up', start: '1000', end: '1120', step: '60' },
      'Bearer x',
    ]);
  });

  it('that has no values is no failure', async () => {
    expect(await ask(await fake(json(200, matrix([]))))).toEqual({ series: [], warnings: [] });
  });

  it('says where an answer may be partial', async () => {
    const warnings = ['no StoreAPIs matched for this query'];
    expect(await ask(await fake(json(200, { ...matrix([]), warnings })))).toEqual({ series: [], warnings });
  });

  it('that answers with native histograms gave no numbers', async () => {
    const histograms = [[1000, { count: '1', sum: '2' }]];
    await expect(ask(await fake(json(200, matrix([{ metric: {}, histograms }]))))).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringContaining('histograms'),
    });
  });

  it.each<[string, Answer, string, RegExp, RegExp]>([
    [
      'a wrong query',
      json(400, { status: 'error', errorType: 'bad_data', error: 'parse error: unclosed left brace' }),
      'usage',
      /refuses the query of metric "up": parse error: unclosed left brace/,
      /Correct the query/,
    ],
    [
      'a query that takes too long',
      json(503, { status: 'error', errorType: 'timeout', error: 'query timed out' }),
      'host',
      /query timed out/,
      /Check Prometheus/,
    ],
    [
      'a closed door',
      (_, __, response) => response.writeHead(401).end('Unauthorized'),
      'usage',
      /lets nobody in/,
      /PIPELINE_PROMETHEUS_AUTHORIZATION/,
    ],
    [
      'something else',
      (_, __, response) => response.writeHead(404).end('<html>not found'),
      'host',
      /does not answer like Prometheus \(HTTP 404\)/,
      /query_range/,
    ],
    [
      'another kind of answer',
      json(200, { status: 'success', data: { resultType: 'scalar', result: [1, '2'] } }),
      'host',
      /with scalar instead of values over time/,
      /must return numbers/,
    ],
    [
      'a connection that is cut',
      (request) => request.socket.destroy(),
      'host',
      /Cannot reach Prometheus/,
      /can be reached/,
    ],
  ])('%s is said in a sentence', async (_, answer, kind, message, next) => {
    await expect(ask(await fake(answer))).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(message),
      next: expect.stringMatching(next),
    });
  });

  it('that does not answer is not waited for', async () => {
    await expect(ask(await fake(() => {}), {}, 100)).rejects.toMatchObject({
      kind: 'host',
      message: expect.stringContaining('no answer within 100 ms'),
    });
  });

  it.each(['localhost:9090', 'ftp://x', 'nonsense'])('%s is no address', (address) => {
    expect(() => prometheusAt(address, quietContext())).toThrow(/is not an http or https address/);
  });

  it('takes no password in its address', () => {
    expect(() => prometheusAt('http://me:secret@localhost:9090', quietContext())).toThrow(
      /^Everybody on this machine can see a password/,
    );
  });
});
