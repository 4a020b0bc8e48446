/** HTTP and TCP checks from this host. */
import { existsSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Row } from '../../metrics/catalogue.ts';
import { redact } from '../../redact.ts';
import type { Collector } from '../collector.ts';

/** One check. Either `url` or `tcp`. */
export interface CheckConfig {
  readonly name: string;
  readonly url?: string | undefined;
  /** `host:port`; it is up when it accepts a connection. */
  readonly tcp?: string | undefined;
  readonly method?: string | undefined;
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Expected statuses; default: any below `below`, or else below 400. */
  readonly status?: readonly number[] | undefined;
  readonly below?: number | undefined;
  /** Text that the body must hold. */
  readonly contains?: string | undefined;
  readonly everySeconds?: number | undefined;
  /** A path: what is to be checked is not there before it exists. */
  readonly once?: string | undefined;
  readonly timeoutSeconds?: number | undefined;
}

/** What an HTTP server answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** As much of a body as is looked at. */
const MAX_BODY = 256 * 1024;

/** Why an answer is not the expected one; empty where it is. */
export function judgeAnswer(check: CheckConfig, answer: HttpAnswer): string {
  const { status, body } = answer;
  const { status: wanted, below = 400 } = check;
  if (wanted === undefined ? status >= below : !wanted.includes(status)) {
    return `answered ${status}${wanted === undefined ? '' : `, not ${wanted.join(' or ')}`}`;
  }
  if (check.contains !== undefined && !body.includes(check.contains)) {
    return `the answer does not contain ${JSON.stringify(check.contains.slice(0, 60))}`;
  }
  return '';
}

export function checkCollector(check: CheckConfig): Collector {
  const target = redact(check.url ?? check.tcp ?? '');
  const secrets = Object.values(check.headers ?? {}).filter((value) => value.length >= 6);
  return {
    name: `check ${check.name}`,
    everySeconds: check.everySeconds ?? 15,
    async collect() {
      if (check.once !== undefined && !existsSync(check.once)) return {};
      const started = performance.now();
      const error = await run(check).catch((thrown: Error) => redact(thrown.message, secrets));
      const row: Row<'checks'> = {
        check: check.name,
        target,
        up: error === '' ? 1 : 0,
        duration: performance.now() - started,
        error,
      };
      return { checks: [row] };
    },
  };
}

async function run(check: CheckConfig): Promise<string> {
  const timeoutMs = (check.timeoutSeconds ?? 5) * 1000;
  if (check.url === undefined) {
    await dial(check.tcp ?? '', timeoutMs);
    return '';
  }
  return judgeAnswer(check, await request(check, check.url, timeoutMs));
}

/** Opens a TCP connection and closes it. @throws Error where that takes longer than `timeoutMs`, or fails */
function dial(address: string, timeoutMs: number): Promise<void> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(address.slice(colon + 1)) });
    const timer = setTimeout(
      () => socket.destroy(new Error(`no connection within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    socket.once('connect', () => resolve());
    socket.once('error', reject);
    socket.once('close', () => clearTimeout(timer));
    socket.once('connect', () => socket.destroy());
  });
}

/** One request on a connection of its own. The HTTP modules are loaded here, since an agent without checks does not need them. */
async function request(check: CheckConfig, url: string, timeoutMs: number): Promise<HttpAnswer> {
  const module = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  const headers = { 'user-agent': 'pipeline-agent', ...check.headers };
  return new Promise((resolve, reject) => {
    const outgoing = module.request(
      url,
      { method: check.method ?? 'GET', headers, agent: false },
      (incoming) => {
        readBody(incoming).then((body) => {
          clearTimeout(timer);
          outgoing.destroy();
          resolve({ status: incoming.statusCode ?? 0, body });
        }, reject);
      },
    );
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    outgoing.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    outgoing.end(check.body);
  });
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  let body = '';
  incoming.setEncoding('utf8');
  for await (const chunk of incoming) {
    body += chunk;
    if (body.length > MAX_BODY) break;
  }
  return body;
}
