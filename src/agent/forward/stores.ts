/** Brings lines to a store: over HTTP, or to a server of syslog. */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { AgentConfig } from '../../contract/agent.ts';
import {
  type ForwardedLine,
  JSONLINE_PATH,
  jsonlineBody,
  LOKI_PATH,
  lokiBody,
  syslogFrames,
} from './forms.ts';

type Forward = AgentConfig['forward'][number];

/** Resolves once the store has the lines. @throws Refused where it never will take them; any other error */
export interface LogStore {
  send(lines: readonly ForwardedLine[]): Promise<void>;
  close(): void;
}

/** The store read the lines and does not take them: sending them again would not help. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

const TIMEOUT_MS = 15_000;

export function openStore({ kind, url, headers }: Forward): LogStore {
  if (kind === 'syslog') return new SyslogStore(url);
  const [path, type, body] =
    kind === 'loki'
      ? ([LOKI_PATH, 'application/json', lokiBody] as const)
      : ([JSONLINE_PATH, 'application/stream+json', jsonlineBody] as const);
  const target = new URL(url);
  // The base address, or already the whole one.
  const address = new URL(`${target.href.replace(/\/+$/, '')}${target.pathname.length > 1 ? '' : path}`);
  return {
    send: (lines) => post(address, { 'content-type': type, ...headers }, body(lines)),
    close: () => {},
  };
}

function post(url: URL, headers: Readonly<Record<string, string>>, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) } };
    const asked = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, (response) => {
      const status = response.statusCode ?? 0;
      response.resume();
      response.once('end', () => {
        if (status >= 200 && status < 300) return resolve();
        const message = `it answered ${status}`;
        reject([400, 413, 422].includes(status) ? new Refused(message) : new Error(message));
      });
      response.once('error', reject);
    });
    asked.setTimeout(TIMEOUT_MS, () => asked.destroy(new Error('it does not answer')));
    asked.once('error', reject);
    asked.end(body);
  });
}

/**
 * One connection, made again where it ended. TCP tells of a loss late: the lines on their way then are sent
 * again.
 */
class SyslogStore implements LogStore {
  readonly #url: URL;
  #socket: Socket | undefined;

  constructor(url: string) {
    this.#url = new URL(url);
  }

  async send(lines: readonly ForwardedLine[]): Promise<void> {
    const socket = await this.#connected();
    await new Promise<void>((resolve, reject) => {
      const failed = (error?: Error) => {
        this.#socket = undefined;
        socket.destroy();
        reject(error ?? new Error('the connection was closed'));
      };
      socket.once('error', failed);
      socket.once('close', failed);
      socket.write(syslogFrames(lines), (error) => {
        socket.off('error', failed);
        socket.off('close', failed);
        if (error) failed(error);
        else resolve();
      });
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  async #connected(): Promise<Socket> {
    if (this.#socket !== undefined && !this.#socket.destroyed && this.#socket.writable) return this.#socket;
    const { hostname: host, port, protocol } = this.#url;
    const isTls = protocol === 'tls:';
    const socket = await new Promise<Socket>((resolve, reject) => {
      const options = { host, port: Number(port) };
      const made = isTls ? connectTls({ ...options, servername: host }) : connectTcp(options);
      made.setTimeout(TIMEOUT_MS, () => made.destroy(new Error('it does not answer')));
      made.once('error', reject);
      made.once(isTls ? 'secureConnect' : 'connect', () => {
        made.off('error', reject);
        made.setTimeout(0);
        resolve(made);
      });
    });
    // Between two messages nobody waits: the next one finds it closed.
    socket.on('error', () => socket.destroy());
    socket.setKeepAlive(true, 15_000);
    socket.resume();
    this.#socket = socket;
    return socket;
  }
}
