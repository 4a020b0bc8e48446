/** The hub: takes samples in, watches, answers. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import { Failure } from '../errors.ts';
import { createHttp } from './api/http.ts';
import { Live } from './charts/live.ts';
import type { Source } from './charts/queries.ts';
import { AppSparks } from './charts/sparks.ts';
import { overview } from './charts/view.ts';
import type { HubConfig } from './config.ts';
import { RunningCanaries } from './events/canaries.ts';
import { RolloutsGoingOn } from './events/rollouts.ts';
import { everySample } from './every-sample.ts';
import { Ingest } from './intake/ingest.ts';
import { exposition } from './prometheus/exposition.ts';
import { RemoteWrite } from './prometheus/remote-write.ts';
import { Totals } from './prometheus/totals.ts';
import { redisClient } from './store/redis.ts';
import { makeRoom } from './store/space.ts';
import { Watch } from './watch.ts';

/** How often Redis's memory is looked at. */
const ROOM_MS = 10_000;

/** Runs until the signal. @throws Failure where a port cannot be had */
export async function runHub(
  config: HubConfig,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  const said = new Map<string, number>();
  const onError = (error: Error) => {
    const now = Date.now();
    if (now - (said.get(error.message) ?? 0) > 60_000) log(`Redis: ${error.message}`);
    said.set(error.message, now);
  };
  const [redis, reader] = [redisClient(config.redis, onError), redisClient(config.redis, onError)];
  await Promise.all([redis.connect(), reader.connect()]);
  const ingest = new Ingest({ hosts: config.hosts, redis, reader, signal, log });
  const source: Source = {
    redis,
    hosts: config.hosts,
    hostsOf: (app) => ingest.hostsOf(app),
    intervalSeconds: config.intervalSeconds,
  };
  const watch = new Watch({ config, source, ingest, signal, log });
  const live = new Live(ingest);
  const sparks = new AppSparks();
  const begun = Date.now();
  // In the background; what is older than now is restored, what is newer is taken in, and nothing counts
  // twice.
  sparks.restore(redis, config.hosts, begun).catch(onError);
  ingest.listen((_host, window) => {
    if (window.at > begun) sparks.add(window);
  });
  const canaries = new RunningCanaries(redis, (mark) => live.mark(mark));
  const rollouts = new RolloutsGoingOn(redis);
  ingest.listenToMarks((mark) => live.mark(mark));
  const totals = new Totals();
  ingest.listen((host, window) => totals.add(host.name, window.routes));
  const remoteWrite =
    config.remoteWrite === undefined
      ? undefined
      : new RemoteWrite({ ...config.remoteWrite, totals, log, signal });
  ingest.listen((_host, window) => remoteWrite?.push(window));
  const look = () =>
    overview(
      {
        fleet: ingest.fleet.values(),
        sparks,
        states: watch.states,
        canaries: canaries.runs,
        rollouts: rollouts.rollouts,
        storage: watch.storage,
        remoteWrite: remoteWrite?.state ?? null,
        trouble: ingest.trouble,
      },
      Date.now(),
    );
  const http = createHttp({
    source,
    ingest,
    live,
    overview: look,
    metrics: () =>
      exposition({ fleet: ingest.fleet.values(), totals, remoteWrite: remoteWrite?.state }, Date.now()),
    secure: config.listen.tls !== undefined,
    trustedProxies: config.listen.trustedProxies ?? [],
    log,
  });
  const servers = await listen(config, http.fetch, log);
  const ticks = everySample(config.intervalSeconds, () => {
    canaries.look(Date.now()).catch(onError);
    rollouts.look(Date.now()).catch(onError);
    live.tick(look, config.intervalSeconds);
  });
  let isMakingRoom = false;
  const rooms = setInterval(() => {
    if (isMakingRoom || ingest.standby) return;
    isMakingRoom = true;
    makeRoom(redis, config.hosts, Date.now(), log)
      .catch(onError)
      .finally(() => {
        isMakingRoom = false;
      });
  }, ROOM_MS);
  log(`The hub watches ${config.hosts.length} hosts.`);
  try {
    await Promise.all([ingest.run(), watch.run(), remoteWrite?.run()]);
  } finally {
    ticks.stop();
    clearInterval(rooms);
    live.close();
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    await Promise.race([Promise.allSettled([redis.close(), reader.destroy()]), sleep(1000)]);
  }
}

type Fetch = ReturnType<typeof createHttp>['fetch'];

async function listen(
  { listen: where }: HubConfig,
  fetch: Fetch,
  log: (line: string) => void,
): Promise<Server[]> {
  const { address, port, tls } = where;
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
  if (tls === undefined)
    return [await started({ fetch, hostname: address, port, createServer, serverOptions: limits })];
  const redirect = createServer(limits, (request, response) => {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    const target = `https://${host}${tls.port === 443 ? '' : `:${tls.port}`}/dashboard`;
    response.writeHead(/^[\w.:[\]-]+$/.test(host) ? 308 : 400, { location: target }).end();
  });
  // The redirection first: whoever waits for the hub waits for https.
  const plain = await open(redirect, port);
  const files = { cert: readFileSync(tls.certificate), key: readFileSync(tls.key) };
  const main = await started({
    fetch,
    hostname: address,
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
