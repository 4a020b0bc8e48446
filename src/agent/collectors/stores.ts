/**
 * Databases and Redis: up, connections, size. Credentials come from the agent's file and go nowhere but into
 * the sign-in.
 */
import { existsSync } from 'node:fs';
import type { AgentConfig } from '../../contract/agent.ts';
import type { Row } from '../../metrics/catalogue.ts';
import type { Collector } from '../collector.ts';
import type { StoreAddress } from '../stores/conversation.ts';
import { readMongodb } from '../stores/mongodb.ts';
import { readMysql } from '../stores/mysql.ts';
import { readRedis } from '../stores/redis.ts';
import type { StoreStatus } from '../stores/status.ts';

/** A database to watch. */
export interface StoreConfig extends StoreAddress {
  readonly name: string;
  readonly kind: AgentConfig['stores'][number]['kind'];
  /** A path: the database is not there before it exists. */
  readonly once?: string | undefined;
}

const EVERY_SECONDS = 15;
/** Sizes change slowly and cost the database some work. */
const SIZE_EVERY = 20;

const READERS: Readonly<
  Record<StoreConfig['kind'], (store: StoreConfig, withSize: boolean) => Promise<StoreStatus>>
> = {
  redis: readRedis,
  mysql: readMysql,
  mongodb: readMongodb,
};

export function storeCollector(store: StoreConfig): Collector {
  let looks = 0;
  return {
    name: `store ${store.name}`,
    everySeconds: EVERY_SECONDS,
    async collect() {
      if (store.once !== undefined && !existsSync(store.once)) return {};
      const started = performance.now();
      const withSize = looks++ % SIZE_EVERY === 0;
      const found = await READERS[store.kind](store, withSize).then(
        (status) => ({ ...status, up: 1 }),
        (error: Error) => ({ connections: null, size: null, error: error.message, up: 0 }),
      );
      const row: Row<'stores'> = {
        store: store.name,
        kind: store.kind,
        duration: performance.now() - started,
        ...found,
      };
      return { stores: [row] };
    },
  };
}
