/** The client against servers that behave badly in ways that the fake does not. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../../../src/cloud/digitalocean/api/api.ts';
import { ApiError } from '../../../../src/cloud/digitalocean/api/api-error.ts';
import { fastClock } from '../../../../src/cloud/digitalocean/api/clock.ts';
import { rateLimitWait } from '../../../../src/cloud/digitalocean/api/rate-limit.ts';
import { createTransport } from '../../../../src/cloud/digitalocean/api/transport.ts';
import { type ProgressEvent, quietContext } from '../../../../src/context.ts';

const TOKEN = 'dop_v1_secret';
type Reply = (request: IncomingMessage, response: ServerResponse, number: number) => void;

interface Client {
  readonly api: Api;
  readonly url: string;
  readonly requests: IncomingMessage[];
  readonly events: ProgressEvent[];
  readonly trace: string[];
}

async function against<T>(reply: Reply, use: (client: Client) => Promise<T>, path = ''): Promise<T> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    reply(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const events: ProgressEvent[] = [];
  const trace: string[] = [];
  const context = quietContext({
    env: {},
    progress: (event) => events.push(event),
    trace: (line) => trace.push(line),
  });
  const transport = createTransport(context, {
    token: TOKEN,
    apiUrl: url + path,
    clock: fastClock(1_000),
    timeoutMs: 2_000,
  });
  try {
    return await use({ api: createApi(transport), url, requests, events, trace });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function json(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

async function errorOf(work: Promise<unknown>): Promise<ApiError> {
  const error = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
}

const tag = (name: string) => ({ name });

describe('a list', () => {
  it('is read to its last page, from our address whatever the links say', () =>
    against(
      (request, response, number) => {
        expect(request.headers.host).toMatch(/^127\.0\.0\.1/);
        const next =
          number < 3
            ? {
                links: {
                  pages: { next: `https://elsewhere.example/v2/tags?page=${number + 1}&per_page=200` },
                },
              }
            : {};
        json(response, { tags: [tag(`a${number}`), tag('twice')], ...next, meta: { total: 4 } });
      },
      async ({ api, requests }) => {
        expect((await api.tags()).map(({ name }) => name)).toEqual(['a1', 'twice', 'a2', 'a3']);
        expect(requests.map(({ url }) => url)).toEqual([
          '/v2/tags?per_page=200',
          '/v2/tags?per_page=200&page=2',
          '/v2/tags?per_page=200&page=3',
        ]);
      },
    ));

  it.each([
    ['the same page again', '/v2/tags?page=1'],
    ['nowhere', '/v2/tags'],
  ])('whose next page is %s ends in an error and not in a circle', (_title, next) =>
    against(
      (_request, response) => json(response, { tags: [tag('a')], links: { pages: { next } } }),
      async ({ api }) =>
        expect((await errorOf(api.tags())).message).toMatch(/links\.pages\.next does not lead on/),
    ),
  );

  it('of what can be bought is taken as far as it goes', () =>
    against(
      (_request, response) =>
        json(response, {
          regions: [{ slug: 'nyc3', name: 'New York 3', available: true, sizes: [] }],
          links: { pages: { next: '/v2/regions?page=2' } },
        }),
      async ({ api }) => expect((await api.regions()).map(({ slug }) => slug)).toEqual(['nyc3']),
    ));

  it.each([{}, { links: null }, { links: {} }, { links: { pages: {} } }])(
    'of one page may say %j about pages',
    (links) =>
      against(
        (_request, response) => json(response, { tags: [], ...links }),
        async ({ api }) => expect(await api.tags()).toEqual([]),
      ),
  );
});

describe('an address with a path', () => {
  it.each(['/proxy', '/proxy/', '/proxy/v2'])('%s is kept in front of every call', (path) =>
    against(
      (_request, response) => json(response, { tags: [] }),
      async ({ api, requests }) => {
        await api.tags();
        expect(requests[0]?.url).toBe('/proxy/v2/tags?per_page=200');
      },
      path,
    ),
  );
});

describe('an error', () => {
  it('carries what the API said and its request id, and never the token, even where the API repeats it', () =>
    against(
      (_request, response) =>
        json(
          response,
          { id: 'unprocessable_entity', message: `bad ${TOKEN}`, request_id: '4d9d8375-3c56-4925' },
          422,
        ),
      async ({ api, trace }) => {
        const error = await errorOf(api.createKey('a', 'b'));
        expect(error.message).toBe(
          'DigitalOcean refused (422: bad ***) (POST /v2/account/keys, request 4d9d8375-3c56-4925)',
        );
        expect(
          JSON.stringify([error.message, error.said, error.next, trace, String(error.cause), error.stack]),
        ).not.toContain(TOKEN);
        expect(error.next).not.toBe('');
      },
    ));

  it('takes the request id from the header where the body has none, and the other form of error bodies', () =>
    against(
      (_request, response) =>
        json(response, { error: 'invalid tag', root_causes: ['too long'] }, 400, {
          'x-request-id': 'from-header',
        }),
      async ({ api }) =>
        expect((await errorOf(api.createKey('a', 'b'))).message).toBe(
          'DigitalOcean refused (400: invalid tag: too long) (POST /v2/account/keys, request from-header)',
        ),
    ));

  it.each<[string, Reply, RegExp]>([
    [
      'leads elsewhere',
      (_request, response) => response.writeHead(302, { location: 'https://elsewhere.example/' }).end(),
      /it leads elsewhere \(302\)/,
    ],
    [
      'is a web page',
      (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>sign in'),
      /it is not JSON \(13 characters of text\/html\)/,
    ],
    [
      'is of another shape',
      (_request, response) => json(response, { account: { droplet_limit: 'ten' } }),
      /account\.droplet_limit: Invalid input: expected (int|number), received string/,
    ],
    ['is nothing', (_request, response) => response.writeHead(200).end(), /it is not JSON/],
  ])('tells of an answer that %s', (_title, reply, message) =>
    against(reply, async ({ api, requests }) => {
      expect((await errorOf(api.account())).message).toMatch(message);
      expect(requests).toHaveLength(6);
    }),
  );
});

describe('a call that fails for a moment', () => {
  it('is repeated where that is safe, and shown', () =>
    against(
      (_request, response, number) =>
        number < 3 ? json(response, { id: 'x', message: 'busy' }, 503) : json(response, { tags: [] }),
      async ({ api, events, requests }) => {
        await api.tags();
        expect(requests).toHaveLength(3);
        expect(events.map(({ stage, state }) => `${stage} ${state}`)).toEqual([
          'DigitalOcean API running',
          'DigitalOcean API running',
        ]);
      },
    ));

  it('is not repeated where its effect may have come already', () =>
    against(
      (_request, response) => json(response, { id: 'x', message: 'busy' }, 503),
      async ({ api, requests }) => {
        expect(await errorOf(api.createKey('a', 'b'))).toMatchObject({ effect: 'unknown', status: 503 });
        expect(requests).toHaveLength(1);
      },
    ));
});

describe('the rate limit', () => {
  it('is waited for, visibly, by every call at once, also a creation: it was not carried out', () =>
    against(
      (_request, response, number) =>
        number === 1
          ? json(response, { id: 'too_many_requests', message: 'API Rate limit exceeded.' }, 429, {
              'retry-after': '29',
            })
          : json(response, { ssh_key: { id: 1, fingerprint: 'f', public_key: 'b', name: 'a' } }, 201),
      async ({ api, events }) => {
        expect(await api.createKey('a', 'b')).toMatchObject({ id: 1 });
        expect(events).toEqual([
          {
            stage: 'API rate limit',
            state: 'running',
            detail: 'DigitalOcean asks to wait 29 s (API Rate limit exceeded.)',
          },
          { stage: 'API rate limit', state: 'done' },
        ]);
      },
    ));

  it('that never ends is given up with a next step', () =>
    against(
      (_request, response) =>
        json(response, { id: 'too_many_requests', message: 'no' }, 429, { 'retry-after': '1' }),
      async ({ api }) =>
        expect(await errorOf(api.tags())).toMatchObject({
          status: 429,
          exitCode: 3,
          next: expect.stringMatching(/Wait some minutes/),
        }),
    ));

  const now = Date.parse('2026-01-01T12:00:00Z');
  const date = new Date(now).toUTCString();
  const reset = String(now / 1_000 + 600);
  it.each<[string, Record<string, string>, number, number]>([
    [
      'the burst limit says in how many seconds',
      { 'retry-after': '29', 'ratelimit-reset': reset, date },
      now,
      29_000,
    ],
    ['the hourly limit says when', { 'ratelimit-reset': reset, date }, now, 600_000],
    ['this machine is an hour behind', { 'ratelimit-reset': reset, date }, now - 3_600_000, 600_000],
    ['this machine is a day ahead', { 'ratelimit-reset': reset, date }, now + 86_400_000, 600_000],
    ['the answer has no date', { 'ratelimit-reset': reset }, now, 600_000],
    ['the wait is given as a date', { 'retry-after': new Date(now + 5_000).toUTCString(), date }, now, 5_000],
    ['the time is past', { 'ratelimit-reset': '1', date }, now, 1_000],
    ['the time is nonsense', { 'ratelimit-reset': 'soon', date }, now, 10_000],
    ['nothing is said', {}, now, 10_000],
    ['the time is a year from now', { 'retry-after': '31536000', date }, now, 3_600_000],
  ])('waits as long as it should where %s', (_title, headers, localNow, wait) => {
    expect(rateLimitWait(new Headers(headers), localNow)).toBe(wait);
  });
});
