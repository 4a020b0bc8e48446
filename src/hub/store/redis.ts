/**
 * The hub's way to its Redis. Nothing is queued while Redis is away: a command fails at once, and the caller
 * tries again.
 */
import { createClient, ErrorReply, MultiErrorReply } from '@redis/client';

export interface RedisOptions {
  /** Unix socket. */
  readonly socket: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** @param onError told every time the connection fails; the client connects again by itself */
export function redisClient(options: RedisOptions, onError: (error: Error) => void) {
  const client = createClient({
    socket: {
      path: options.socket,
      tls: false,
      reconnectStrategy: (tries) => Math.min(2000, 50 * 2 ** tries),
    },
    ...(options.user === undefined ? {} : { username: options.user }),
    ...(options.password === undefined ? {} : { password: options.password }),
    disableOfflineQueue: true,
  });
  client.on('error', onError);
  return client;
}

export type Redis = ReturnType<typeof redisClient>;

/** Whether Redis refused a command, or one of a transaction, because its memory is used up. */
export function isFull(error: unknown): boolean {
  if (error instanceof MultiErrorReply) return error.replies.some(isFull);
  // The first word of an error is its code (RESP, "simple errors"); the client has no field for it.
  return error instanceof ErrorReply && error.message.split(' ', 1)[0] === 'OOM';
}
