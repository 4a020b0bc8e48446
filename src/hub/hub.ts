/** The hub: takes samples in, watches, answers. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { Failure } from '../errors.ts';
import { createHttp } from './api/http.ts';
import type { Overview } from './api-types.ts';
import { Live } from './charts/live.ts';
import type { ChartSource } from './charts/queries.ts';
import { AppSparks } from './charts/sparks.ts';
import { overview } from './charts/view.ts';
import type { HubConfig } from './config.ts';
import { auditTo } from './events/audit.ts';
import { RunningCanaries } from './events/canaries.ts';
import { RolloutsGoingOn } from './events/rollouts.ts';
import { everySample } from './every-sample.ts';
import { Ingest } from './intake/ingest.ts';
import { LogReader } from './logs/ask.ts';
import { exposition } from './prometheus/exposition.ts';
import { RemoteWrite } from './prometheus/remote-write.ts';
import { Totals } from './prometheus/totals.ts';
import { StatusPage } from './status/status.ts';
import { type Redis, redisClient } from './store/redis.ts';
import { makeRoom } from './store/space.ts';
import { Watch } from './watch.ts';

/** How often we check how full Redis is. */
const ROOM_MS = 10_000;
/** How long before we log the same Redis error again. */
const SAY_AGAIN_MS = 60_000;

type Log = (line: string) => void;
type OnError = (error: Error) => void;

/** Runs until the signal. @throws Failure if a port is taken */
export async function runHub(config: HubConfig, signal: AbortSignal, log: Log): Promise<void> {
  const onError = errorsOf(log);
  const [redis, reader] = [redisClient(config.redis, onError), redisClient(config.redis, onError)];
  await Promise.all([redis.connect(), reader.connect()]);
  const hub = new Hub(config, { redis, reader }, signal, log);
  hub.begin(onError);
  const servers = await listen(config, hub.http().fetch, log);
  const ticks = everySample(config.intervalSeconds, () => hub.tick(onError));
  const rooms = makeRoomAgainAndAgain(hub.ingest, redis, config.hosts, log, onError);
  log(`The hub watches ${config.hosts.length} hosts.`);
  try {
    await hub.run();
  } finally {
    ticks.stop();
    clearInterval(rooms);
    hub.live.close();
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    await Promise.race([Promise.allSettled([redis.close(), reader.destroy()]), sleep(1000)]);
  }
}

/** The parts of the hub, wired together. */
class Hub {
  readonly ingest: Ingest;
  readonly live: Live;
  readonly #config: HubConfig;
  readonly #redis: Redis;
  readonly #log: Log;
  readonly #source: ChartSource;
  readonly #watch: Watch;
  readonly #sparks = new AppSparks();
  readonly #totals = new Totals();
  readonly #canaries: RunningCanaries;
  readonly #rollouts: RolloutsGoingOn;
  readonly #remoteWrite: RemoteWrite | undefined;
  readonly #status: StatusPage | undefined;

  constructor(
    config: HubConfig,
    { redis, reader }: { readonly redis: Redis; readonly reader: Redis },
    signal: AbortSignal,
    log: Log,
  ) {
    const { hosts, intervalSeconds, remoteWrite, statusPage } = config;
    const ingest = new Ingest({ hosts, redis, reader, signal, log });
    this.#config = config;
    this.#redis = redis;
    this.#log = log;
    this.ingest = ingest;
    this.#source = { redis, hosts, hostsOf: (app) => ingest.hostsOf(app), intervalSeconds };
    this.#watch = new Watch({ config, source: this.#source, ingest, signal, log });
    this.live = new Live(ingest);
    this.#canaries = new RunningCanaries(redis, (event) => this.live.event(event));
    this.#rollouts = new RolloutsGoingOn(redis);
    if (statusPage !== undefined)
      this.#status = new StatusPage({
        page: statusPage,
        redis,
        ingest,
        signal,
        log,
        states: () => this.#watch.known,
      });
    if (remoteWrite !== undefined)
      this.#remoteWrite = new RemoteWrite({ ...remoteWrite, totals: this.#totals, log, signal });
  }

  /** From here on, the parts hear about every new sample. */
  begin(onError: OnError): void {
    const begun = Date.now();
    // In the background; what is older than now is restored, what is newer is taken in, and nothing counts
    // twice.
    this.#sparks.restore(this.#redis, this.#config.hosts, begun).catch(onError);
    this.ingest.listenToEvents((event) => this.live.event(event));
    this.ingest.listen((host, window) => {
      if (window.at > begun) this.#sparks.add(window);
      this.#totals.add(host.name, window.routes);
      this.#remoteWrite?.push(window);
    });
  }

  async run(): Promise<void> {
    await Promise.all([this.ingest.run(), this.#watch.run(), this.#remoteWrite?.run(), this.#status?.run()]);
  }

  /** Once per sample: sends what changed to every open page. */
  tick(onError: OnError): void {
    this.#canaries.look(Date.now()).catch(onError);
    this.#rollouts.look(Date.now()).catch(onError);
    this.live.tick(() => this.#overview(), this.#config.intervalSeconds);
  }

  http(): ReturnType<typeof createHttp> {
    const { tls, trustedProxies = [] } = this.#config.listen;
    return createHttp({
      source: this.#source,
      ingest: this.ingest,
      live: this.live,
      logs: new LogReader(this.#redis),
      acting: {
        redis: this.#redis,
        audit: auditTo(this.#redis, {
          path: this.#config.auditLog,
          hosts: () => this.ingest.fleet.keys(),
          apps: () => this.ingest.apps().keys(),
        }),
        subjects: () => this.#subjects(),
      },
      overview: () => this.#overview(),
      metrics: () => this.#metrics(),
      status: () => this.#status?.html,
      secure: tls !== undefined,
      trustedProxies,
      log: this.#log,
    });
  }

  /** What alerts can be about. */
  #subjects(): ReadonlySet<string> {
    const { rules, own } = this.#config;
    const names = [this.ingest.fleet.keys(), this.ingest.apps().keys(), Object.keys(rules), Object.keys(own)];
    return new Set(names.flatMap((some) => [...some]));
  }

  #overview(): Overview {
    const source = {
      fleet: this.ingest.fleet.values(),
      sparks: this.#sparks,
      states: this.#watch.states,
      silences: this.#watch.silences,
      taken: this.#watch.taken,
      rules: [...Object.keys(this.#config.rules), ...Object.keys(this.#config.own)],
      canaries: this.#canaries.runs,
      rollouts: this.#rollouts.rollouts,
      storage: this.#watch.storage,
      remoteWrite: this.#remoteWrite?.state ?? null,
      trouble: this.ingest.trouble,
    };
    return overview(source, Date.now());
  }

  #metrics(): string {
    const fleet = this.ingest.fleet.values();
    return exposition({ fleet, totals: this.#totals, remoteWrite: this.#remoteWrite?.state }, Date.now());
  }
}

/** Logs each error at most once a minute. */
function errorsOf(log: Log): OnError {
  const said = new Map<string, number>();
  return ({ message }) => {
    const now = Date.now();
    if (now - (said.get(message) ?? Number.NEGATIVE_INFINITY) > SAY_AGAIN_MS) log(`Redis: ${message}`);
    said.set(message, now);
  };
}

function makeRoomAgainAndAgain(
  ingest: Pick<Ingest, 'standby'>,
  redis: Redis,
  hosts: readonly string[],
  log: Log,
  onError: OnError,
): ReturnType<typeof setInterval> {
  let isBusy = false;
  return setInterval(() => {
    if (isBusy || ingest.standby) return;
    isBusy = true;
    makeRoom(redis, hosts, Date.now(), log)
      .catch(onError)
      .finally(() => {
        isBusy = false;
      });
  }, ROOM_MS);
}

type Fetch = ReturnType<typeof createHttp>['fetch'];

async function listen(
  { listen: where }: HubConfig,
  fetch: Fetch,
  log: (line: string) => void,
): Promise<Server[]> {
  const { address, port, tls } = where;
  const at = address === undefined ? {} : { hostname: address };
  const limits = {
    requestTimeout: 30_000,
    headersTimeout: 10_000,
    connectionsCheckingInterval: 5000,
    maxHeaderSize: 16 * 1024,
  };
  const open = (server: Server, on: number) =>
    new Promise<Server>((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new Failure('host', `The hub cannot listen on port ${on}: ${cause.message}.`, { cause })),
      );
      server.listen(on, address, () => resolve(server));
    });
  if (tls === undefined) return [await started({ fetch, ...at, port, createServer, serverOptions: limits })];
  const redirect = createServer(limits, (request, response) => {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    const path = request.url === '/status' ? '/status' : '/dashboard';
    const target = `https://${host}${tls.port === 443 ? '' : `:${tls.port}`}${path}`;
    response.writeHead(/^[\w.:[\]-]+$/.test(host) ? 308 : 400, { location: target }).end();
  });
  // The redirect first: whoever waits for the hub waits for https.
  const plain = await open(redirect, port);
  const files = { cert: readFileSync(tls.certificate), key: readFileSync(tls.key) };
  const main = await started({
    fetch,
    ...at,
    port: tls.port,
    createServer: createHttps,
    serverOptions: { ...files, ...limits },
  });
  log(`https on port ${tls.port}.`);
  return [main, plain];
}

function started(options: Parameters<typeof serve>[0]): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve(options, () => resolve(server as Server)) as Server;
    server.once('error', (cause) =>
      reject(
        new Failure('host', `The hub cannot listen on port ${options.port}: ${cause.message}.`, { cause }),
      ),
    );
  });
}
