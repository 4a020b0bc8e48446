/**
 * A connection on which each side speaks in turn: write, then read so many bytes. For protocols of databases.
 */

import { connect, type Socket } from 'node:net';
import { duration } from '../../format.ts';

export interface StoreAddress {
  /** `host:port`, or the absolute path of a Unix socket. */
  readonly address: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** The whole conversation takes no longer than this. */
const TIMEOUT_MS = 5000;
/** No answer that we ask for is longer. */
const MAX_BYTES = 4 * 1024 * 1024;

export class Conversation {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #error: Error | undefined;
  #wanted: { bytes: number; resolve: (data: Buffer) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const timer = setTimeout(
      () => socket.destroy(new Error(`no answer within ${duration(TIMEOUT_MS)}`)),
      TIMEOUT_MS,
    );
    socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#serve();
    });
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => {
      clearTimeout(timer);
      this.#fail(new Error('it closed the connection'));
    });
  }

  /**
   * Talks to `address` and closes the connection afterwards, whatever happens.
   * @throws Error with the cause, in words
   */
  static async with<T>(address: string, talk: (conversation: Conversation) => Promise<T>): Promise<T> {
    const conversation = new Conversation(connect(splitAddress(address)));
    try {
      return await talk(conversation);
    } finally {
      conversation.#socket.destroy();
    }
  }

  write(data: Buffer): void {
    this.#socket.write(data);
  }

  /** The next so many bytes. */
  read(bytes: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (bytes > MAX_BYTES) return reject(new Error(`its answer has ${bytes} bytes, which cannot be right`));
      this.#wanted = { bytes, resolve, reject };
      this.#serve();
    });
  }

  #serve(): void {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    if (this.#received.length >= wanted.bytes) {
      this.#wanted = undefined;
      const data = this.#received.subarray(0, wanted.bytes);
      this.#received = this.#received.subarray(wanted.bytes);
      wanted.resolve(data);
    } else if (this.#error !== undefined) {
      this.#wanted = undefined;
      wanted.reject(this.#error);
    }
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#serve();
  }
}

/** `127.0.0.1:3306`, `[::1]:3306` or `/run/mysqld/mysqld.sock`. */
export function splitAddress(address: string): { path: string } | { host: string; port: number } {
  if (address.startsWith('/')) return { path: address };
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}
