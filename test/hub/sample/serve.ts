/** A whole hub on this machine with sample data: a Redis of its own, the real page, two users. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundlePage } from '../../../scripts/page.mjs';
import { alertsSchema } from '../../../src/config/schema.ts';
import { setUser } from '../../../src/hub/access/users.ts';
import { runHub } from '../../../src/hub/hub.ts';
import { type Redis, redisClient } from '../../../src/hub/store/redis.ts';
import { freePort, TestRedis } from '../../agent/redis-server.ts';
import { type Past, sendSamples, writePast } from './fill.ts';
import { type SampleFleet, sampleFleet } from './fleet.ts';
import { answerSamples } from './logs.ts';

export interface SampleHub {
  readonly address: string;
  readonly password: string;
  readonly fleet: SampleFleet;
  readonly redis: Redis;
  /** Stops everything and removes it. */
  readonly stop: () => Promise<void>;
}

export interface SampleOptions {
  readonly hosts: number;
  readonly apps: number;
  readonly hours: Past['hours'];
  readonly intervalSeconds?: number;
  readonly port?: number;
  readonly log?: (line: string) => void;
}

export async function serveSample(options: SampleOptions): Promise<SampleHub> {
  const { hosts, apps, hours, intervalSeconds = 2, log = () => {} } = options;
  // What `scripts/build.mjs` puts into the hub's bundle.
  Object.assign(globalThis, { PIPELINE_PAGE: await bundlePage(join(import.meta.dirname, '../../..')) });
  const server = await TestRedis.start();
  const redis = redisClient({ socket: server.socket }, () => {});
  await redis.connect();
  // So many small writes need not each reach the disk.
  await redis.configSet('appendfsync', 'no');
  const past: Past = { now: Date.now(), intervalSeconds, hours };
  const fleet = sampleFleet(hosts, apps, past.now);
  log(`Writing the past of ${hosts} hosts and ${apps} applications.`);
  await writePast(redis, fleet, past);
  const password = await setUser(redis, 'admin', 'admin');
  await setUser(redis, 'ann', 'viewer');
  const stop = new AbortController();
  const port = options.port ?? (await freePort());
  const { rules, quiet, own } = alertsSchema.parse({});
  const config = {
    hosts: [...fleet.hosts],
    intervalSeconds,
    redis: { socket: server.socket },
    listen: { address: '127.0.0.1', port },
    rules,
    own,
    quiet,
    targets: [],
  };
  const hub = runHub(config, stop.signal, log);
  const running = [
    ...[hub, sendSamples(redis, fleet, past, stop.signal)],
    answerSamples(server.socket, fleet, stop.signal),
  ];
  const end = async () => {
    stop.abort();
    await Promise.allSettled(running);
    redis.destroy();
    await server.remove();
  };
  const address = `http://127.0.0.1:${port}`;
  try {
    // A hub that cannot have its port ends at once, and says why.
    await Promise.race([answers(`${address}/api/health`), hub]);
  } catch (error) {
    await end();
    throw error;
  }
  return { address, password, fleet, redis, stop: end };
}

/** Until the hub answers. */
async function answers(url: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    if (status !== 0) return;
    if (attempt === 600) throw new Error('The hub does not answer.');
    await sleep(100);
  }
}
