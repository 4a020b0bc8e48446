/** Redis: connections and memory, from INFO. */
import { RedisConnection } from '../sender/resp.ts';
import { type StoreAddress, splitAddress } from './conversation.ts';
import type { StoreStatus } from './status.ts';

/** Reads the text of INFO. */
export function parseInfo(info: string): StoreStatus {
  const number = (name: string): number | null => {
    const match = new RegExp(`^${name}:(\\d+)\\r?$`, 'm').exec(info);
    return match === null ? null : Number(match[1]);
  };
  return { connections: number('connected_clients'), size: number('used_memory'), error: '' };
}

/** @throws Error with a message for people */
export async function readRedis(store: StoreAddress): Promise<StoreStatus> {
  const where = splitAddress(store.address);
  const { user, password } = store;
  const connection = await RedisConnection.open({ host: '', port: 0, ...where, user, password }, 5000);
  try {
    return parseInfo(String(await connection.command('INFO')));
  } finally {
    connection.close();
  }
}
