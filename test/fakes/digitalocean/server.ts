/** The fake over HTTP: authorisation, limits, faults, latency, routes. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FakeAccount, fakeAccount } from './account.ts';
import { catalogueRoutes } from './catalogue-routes.ts';
import type { Control } from './control.ts';
import { dropletRoutes } from './droplets.ts';
import { type CallId, callCounter, type Fault, type FaultPlan } from './faults.ts';
import { firewallRoutes } from './firewalls.ts';
import { accountRoutes } from './keys.ts';
import { API_LIMITS, createLimiter, type RateLimits } from './limits.ts';
import { type DropletMachines, type SimulatedCommand, simulatedMachines } from './machines.ts';
import { type FakeAnswer, Refused, type Route } from './request.ts';
import { reservedRoutes } from './reserved.ts';
import { tagRoutes } from './tags.ts';
import { vpcRoutes } from './vpcs.ts';

const ROUTES: readonly Route[] = [
  ...accountRoutes,
  ...catalogueRoutes,
  ...tagRoutes,
  ...vpcRoutes,
  ...firewallRoutes,
  ...dropletRoutes,
  ...reservedRoutes,
];
/** Where tests sign in to simulated droplets. Not part of the API. */
const SSH_PATH = '/fake/ssh';

/** One finished call, for tests that check both sides against the published contract. */
export interface Exchange {
  readonly call: CallId;
  readonly url: string;
  readonly requestBody: unknown;
  readonly status: number;
  readonly responseBody: unknown;
}

export interface FakeOptions {
  readonly account?: FakeAccount;
  /** Token → what it may do. */
  readonly tokens?: Readonly<Record<string, 'write' | 'read'>>;
  readonly limits?: RateLimits;
  /** How many times faster than the machine's clock the fake's runs. */
  readonly speed?: number;
  readonly machines?: DropletMachines;
  /** Answers to paths of its own, before everything else. */
  readonly control?: Control | undefined;
  /** 0: any free port. */
  readonly port?: number;
}

export interface FakeDigitalOcean {
  readonly url: string;
  readonly account: FakeAccount;
  readonly machines: DropletMachines;
  /** Faults from now on; counts calls from 1 again. */
  fail(plan: FaultPlan | undefined): void;
  /** Calls since the last `fail`, faults included. */
  calls(): readonly CallId[];
  onExchange(listener: ((exchange: Exchange) => void) | undefined): void;
  /** Milliseconds since 1970 of the fake's clock. */
  now(): number;
  stop(): Promise<void>;
}

export const FAKE_TOKEN = 'dop_v1_fake';

export async function startFake(options: FakeOptions = {}): Promise<FakeDigitalOcean> {
  const account = options.account ?? fakeAccount();
  const tokens = options.tokens ?? { [FAKE_TOKEN]: 'write' };
  const machines = options.machines ?? simulatedMachines();
  const limit = createLimiter(options.limits ?? API_LIMITS);
  const began = { wall: Date.now(), monotonic: performance.now() };
  const speed = options.speed ?? 1;
  const now = () => began.wall + (performance.now() - began.monotonic) * speed;
  let plan: FaultPlan | undefined;
  let count = callCounter();
  let calls: CallId[] = [];
  let listener: ((exchange: Exchange) => void) | undefined;
  let url = '';

  /** Carries a call out: authorisation, then the route. */
  function carryOut(
    request: IncomingMessage,
    target: URL,
    body: string,
    found: Found | undefined,
  ): FakeAnswer {
    const { method = 'GET' } = request;
    const scope = tokens[/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''];
    if (scope === undefined)
      return { status: 401, body: { id: 'Unauthorized', message: 'Unable to authenticate you' } };
    if (scope === 'read' && method !== 'GET') {
      return {
        status: 403,
        body: { id: 'Forbidden', message: 'You are not authorized to perform this operation' },
      };
    }
    try {
      if (found === undefined)
        throw new Refused(404, 'not_found', 'The resource you were accessing could not be found.');
      const json = body === '' ? undefined : parseBody(body);
      return found.route.handle({
        ...{ method, account, machines },
        path: target.pathname,
        query: target.searchParams,
        body: json,
        params: found.params,
        now: now(),
        origin: url,
      });
    } catch (error) {
      if (error instanceof Refused) return error.answer;
      throw error;
    }
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET' } = request;
    const target = new URL(request.url ?? '/', url);
    const body = await readBody(request);
    const own = options.control?.answer(method, target.pathname, body);
    if (own !== undefined) return answer(response, own, {});
    const ssh = target.pathname === SSH_PATH;
    const found = ssh ? undefined : findRoute(method, target.pathname);
    const command = ssh ? (JSON.parse(body) as SimulatedCommand) : undefined;
    const call =
      command === undefined
        ? count(method, found?.route.path ?? target.pathname)
        : count('SSH', command.label);
    calls.push(call);
    const fault = plan?.(call);
    const { latency, ssh: hello } = account.delays;
    const takes = command === undefined ? latency : command.label === 'sign in' ? hello : hello / 3;
    await pause((takes * (0.8 + Math.random() * 0.4)) / speed);
    if (command !== undefined) {
      const effect = fault === undefined || ('effect' in fault && fault.effect);
      const result = effect ? signIn(command) : undefined;
      if (fault !== undefined) return misbehave(response, fault, { status: 200, body: result }, {});
      return answer(response, { status: 200, body: result }, {});
    }
    const verdict = limit(now(), method === 'GET' && target.pathname === '/v2/account/keys');
    const headers = { ...verdict.headers, date: new Date(now()).toUTCString(), 'x-request-id': randomUUID() };
    if (!verdict.allowed) {
      return answer(
        response,
        { status: 429, body: { id: 'too_many_requests', message: 'API Rate limit exceeded.' } },
        headers,
      );
    }
    if (fault?.kind === 'late') {
      setTimeout(() => carryOut(request, target, body, found), fault.afterMs / speed);
      return;
    }
    const effect = fault === undefined || !('effect' in fault) || fault.effect;
    const result = effect ? carryOut(request, target, body, found) : { status: 500 };
    if (fault !== undefined) return misbehave(response, fault, result, headers);
    listener?.({
      ...{ call, url: `${target.pathname}${target.search}` },
      requestBody: body === '' ? undefined : JSON.parse(body),
      status: result.status,
      responseBody: result.body,
    });
    answer(response, result, headers);
  }

  function signIn(command: SimulatedCommand) {
    const at = now();
    const droplet = account.droplets.find(
      ({ publicAddress, goneAt }) => publicAddress === command.address && goneAt > at,
    );
    return droplet === undefined || !('run' in machines)
      ? { failed: 'refused' }
      : machines.run(droplet, command, at);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
      // A fault of the fake itself: a test that goes on would prove nothing.
      queueMicrotask(() => {
        throw error;
      });
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    ...{ url, account, machines, now },
    fail(next) {
      plan = next;
      count = callCounter();
      calls = [];
    },
    calls: () => calls,
    onExchange(next) {
      listener = next;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Found {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

function findRoute(method: string, path: string): Found | undefined {
  const parts = path.split('/');
  for (const route of ROUTES) {
    const wanted = route.path.split('/');
    if (route.method !== method || wanted.length !== parts.length) continue;
    if (!wanted.every((part, index) => part.startsWith(':') || part === parts[index])) continue;
    const named = wanted.flatMap((part, index) =>
      part.startsWith(':') ? [[part.slice(1), decodeURIComponent(parts[index] ?? '')]] : [],
    );
    return { route, params: Object.fromEntries(named) };
  }
  return undefined;
}

function answer(
  response: ServerResponse,
  { status, body }: FakeAnswer,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(status, {
    ...headers,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function misbehave(
  response: ServerResponse,
  fault: Fault,
  result: FakeAnswer,
  headers: Readonly<Record<string, string>>,
): void {
  switch (fault.kind) {
    case 'hang':
    case 'late':
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'call':
      fault.act();
      response.socket?.resetAndDestroy();
      return;
    case 'status': {
      const body = { id: 'server_error', message: 'Unexpected server-side error', request_id: randomUUID() };
      answer(response, { status: fault.status, body }, { ...headers, ...fault.headers });
      return;
    }
    case 'truncated': {
      const text = JSON.stringify(result.body ?? {});
      response.writeHead(result.status, {
        ...headers,
        'content-type': 'application/json',
        'content-length': String(text.length),
      });
      response.write(text.slice(0, Math.ceil(text.length / 2)), () => response.socket?.destroy());
      return;
    }
    case 'malformed':
      response.writeHead(200, { ...headers, 'content-type': 'text/html' });
      response.end(fault.body);
  }
}

function parseBody(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Refused(400, 'bad_request', 'There was a problem parsing the request body.');
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function pause(ms: number): Promise<void> | undefined {
  return ms <= 0 ? undefined : new Promise((resolve) => setTimeout(resolve, ms));
}
