/**
 * The least of a Redis client: commands over one connection, answers in order (RESP2, TCP or TLS).
 * The package @redis/client costs 13 MB more. Protocol: https://redis.io/docs/reference/protocol-spec/
 */

import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Failure } from '../../errors.ts';
import { duration } from '../../format.ts';

/** Where a Redis is and how to sign in. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  /** Unix socket; then host and port are ignored. */
  readonly path?: string | undefined;
  readonly tls?:
    | {
        /** Certificate of the authority (PEM) that alone is trusted; absent: the system's authorities. */
        readonly ca?: string | undefined;
        /** Name that the certificate must hold; absent: the host. */
        readonly servername?: string | undefined;
      }
    | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** An answer: text, number, nothing, or several. Errors reject instead. */
export type Reply = string | number | null | readonly Reply[];

/** An error that Redis answered, e.g. code `NOPERM`, `WRONGPASS`, `OOM`. The connection stands. */
export class RedisError extends Error {
  override readonly name = 'RedisError';
  readonly code: string;

  constructor(message: string) {
    super(message);
    this.code = message.split(' ', 1)[0] ?? '';
  }
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** One connection. After its end every command rejects; make a new one. */
export class RedisConnection {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #received: Buffer = Buffer.alloc(0);
  #ended: Error | undefined;
  #onEnd: (error: Error) => void = () => {};

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 15_000);
    socket.on('data', (data) => this.#onData(data));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('the connection was closed')));
    // Only while something is waited for does silence mean that the other end is gone.
    socket.setTimeout(timeoutMs, () => {
      if (this.#waiting.length > 0) this.#end(new Error(`no answer within ${duration(timeoutMs)}`));
    });
  }

  /**
   * Connects and signs in.
   * @throws the socket's error, RedisError where the sign-in is refused
   */
  static async open(address: RedisAddress, timeoutMs = 10_000): Promise<RedisConnection> {
    const connection = new RedisConnection(await openSocket(address, timeoutMs), timeoutMs);
    if (address.password !== undefined) {
      const credentials = address.user === undefined ? [address.password] : [address.user, address.password];
      try {
        await connection.command('AUTH', ...credentials);
      } catch (error) {
        connection.close();
        throw error;
      }
    }
    return connection;
  }

  /** Sends one command. Commands may be sent without waiting for the answers of those before. */
  command(...parts: readonly string[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      this.#waiting.push({ resolve, reject });
      this.#socket.write(encodeCommand(parts));
    });
  }

  /** Called once when the connection has ended, for whatever reason but `close`. */
  onEnd(listener: (error: Error) => void): void {
    this.#onEnd = listener;
    if (this.#ended !== undefined) listener(this.#ended);
  }

  /** Ends the connection at once; what is waited for rejects. */
  close(): void {
    this.#onEnd = () => {};
    this.#end(new Error('the connection was closed by us'));
  }

  #end(error: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#socket.destroy();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.#onEnd(error);
  }

  #onData(data: Buffer): void {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data]);
    try {
      let offset = 0;
      for (;;) {
        const parsed = parseReply(this.#received, offset);
        if (parsed === undefined) break;
        offset = parsed.end;
        const waiting = this.#waiting.shift();
        if (parsed.value instanceof RedisError) waiting?.reject(parsed.value);
        else waiting?.resolve(parsed.value);
      }
      this.#received = this.#received.subarray(offset);
      if (this.#received.length > MAX_REPLY) throw new Error('the answer is longer than 4 MiB');
    } catch (error) {
      this.#end(error as Error);
    }
  }
}

const MAX_REPLY = 4 * 1024 * 1024;

function openSocket(address: RedisAddress, timeoutMs: number): Promise<Socket> {
  const { host, port, path, tls } = address;
  return new Promise((resolve, reject) => {
    const socket =
      path !== undefined
        ? connectTcp({ path })
        : tls === undefined
          ? connectTcp({ host, port })
          : connectTls({ host, port, ...defined('ca', tls.ca), ...defined('servername', tls.servername) });
    const timer = setTimeout(
      () => socket.destroy(new Error(`no connection within ${duration(timeoutMs)}`)),
      timeoutMs,
    );
    socket.once(tls === undefined || path !== undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      socket.removeAllListeners();
      resolve(socket);
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

function defined<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: string });
}

/** A command as an array of bulk strings. */
function encodeCommand(parts: readonly string[]): string {
  let text = `*${parts.length}\r\n`;
  for (const part of parts) text += `$${Buffer.byteLength(part)}\r\n${part}\r\n`;
  return text;
}

interface ParsedReply {
  readonly value: Reply | RedisError;
  readonly end: number;
}

/** The reply that begins at `offset`; undefined while it is incomplete. @throws Failure where it is none. */
export function parseReply(buffer: Buffer, offset: number): ParsedReply | undefined {
  const lineEnd = buffer.indexOf('\r\n', offset);
  if (lineEnd < 0) return undefined;
  const line = buffer.toString('utf8', offset + 1, lineEnd);
  const after = lineEnd + 2;
  switch (buffer[offset]) {
    case 0x2b: // +
      return { value: line, end: after };
    case 0x2d: // -
      return { value: new RedisError(line), end: after };
    case 0x3a: // :
      return { value: Number(line), end: after };
    case 0x24: {
      // $
      const length = Number(line);
      if (length === -1) return { value: null, end: after };
      if (buffer.length < after + length + 2) return undefined;
      return { value: buffer.toString('utf8', after, after + length), end: after + length + 2 };
    }
    case 0x2a:
      return Number(line) === -1 ? { value: null, end: after } : parseArray(buffer, after, Number(line));
    default:
      throw new Failure('host', 'Something answers, but it is not Redis.', {
        next: 'Check the address, and that TLS is on at both ends or at none.',
      });
  }
}

function parseArray(buffer: Buffer, offset: number, length: number): ParsedReply | undefined {
  const items: Reply[] = [];
  let end = offset;
  for (let i = 0; i < length; i++) {
    const item = parseReply(buffer, end);
    if (item === undefined) return undefined;
    items.push(item.value instanceof RedisError ? item.value.message : item.value);
    end = item.end;
  }
  return { value: items, end };
}
