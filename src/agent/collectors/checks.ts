/** HTTP and TCP checks from this host. */

import type { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { connect, isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { MAINTENANCE_HEADER } from '../../contract/proxy-paths.ts';
import { duration } from '../../format.ts';
import type { Row } from '../../metrics/catalogue.ts';
import { redact } from '../../redact.ts';
import type { Collector } from '../collector.ts';
import { describeCertificate } from './certificates.ts';

/** One check. Either `url` or `tcp`. */
export interface CheckSettings {
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
  /** Whether redirects are followed; default: no. */
  readonly follow?: 'yes' | 'no' | undefined;
  /** PEM file with an authority that is trusted beside the usual ones. */
  readonly ca?: string | undefined;
  /**
   * Address that is connected to, whatever the URL's host name stands for. Its certificate is not judged:
   * that is another check's.
   */
  readonly through?: string | undefined;
  readonly everySeconds?: number | undefined;
  /** A path: what is to be checked is not there before it exists. */
  readonly once?: string | undefined;
  readonly timeoutSeconds?: number | undefined;
}

/** What an HTTP server answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** nginx answers for a site that somebody closed: nobody is to be called for that. */
  readonly maintenance?: boolean | undefined;
}

/** How much of a body is searched. */
const MAX_BODY = 256 * 1024;
/** How often the certificates are reported that redirects lead to. */
const CERTIFICATES_EVERY_MS = 3_600_000;
/** More are a circle. */
const MOST_REDIRECTS = 10;
/** Say who asks: nothing for another origin. */
const PRIVATE_HEADERS = ['authorization', 'cookie', 'proxy-authorization', 'host'];
const BODY_HEADERS = ['content-length', 'content-type', 'content-encoding', 'content-language'];

/** Why an answer is not the expected one; empty where it is. */
export function judgeAnswer(check: CheckSettings, answer: HttpAnswer): string {
  const { status, body } = answer;
  if (answer.maintenance === true) return '';
  const { status: wanted, below = 400 } = check;
  if (wanted === undefined ? status >= below : !wanted.includes(status)) {
    return `answered ${status}${wanted === undefined ? '' : `, not ${wanted.join(' or ')}`}`;
  }
  if (check.contains !== undefined && !body.includes(check.contains)) {
    return `the answer does not contain ${JSON.stringify(check.contains.slice(0, 60))}`;
  }
  return '';
}

export function checkCollector(check: CheckSettings): Collector {
  const target = redact(check.url ?? check.tcp ?? '');
  let certified = Number.NEGATIVE_INFINITY;
  const secrets = Object.values(check.headers ?? {}).filter((value) => value.length >= 6);
  return {
    name: `check ${check.name}`,
    everySeconds: check.everySeconds ?? 15,
    async collect() {
      if (check.once !== undefined && !existsSync(check.once)) return {};
      const started = performance.now();
      const met = new Map<string, X509Certificate>();
      const error = await run(check, met).catch((thrown: Error) => redact(thrown.message, secrets));
      const row: Row<'checks'> = {
        check: check.name,
        target,
        up: error === '' ? 1 : 0,
        duration: performance.now() - started,
        error,
      };
      if (met.size === 0 || started - certified < CERTIFICATES_EVERY_MS) return { checks: [row] };
      certified = started;
      const certificates = [...met].map(([endpoint, certificate]) => ({
        endpoint,
        ...describeCertificate(certificate),
        error: '',
      }));
      return { checks: [row], certificates };
    },
  };
}

/** @param met takes the certificates of servers that a redirect led to, by `host:port` */
async function run(check: CheckSettings, met: Map<string, X509Certificate>): Promise<string> {
  const timeoutMs = (check.timeoutSeconds ?? 5) * 1000;
  if (check.url === undefined) {
    await dial(check.tcp ?? '', timeoutMs);
    return '';
  }
  return judgeAnswer(check, await request(check, check.url, timeoutMs, met));
}

/** Opens a TCP connection and closes it. @throws Error where that takes longer than `timeoutMs`, or fails */
function dial(address: string, timeoutMs: number): Promise<void> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(address.slice(colon + 1)) });
    const timer = setTimeout(
      () => socket.destroy(new Error(`no connection within ${duration(timeoutMs)}`)),
      timeoutMs,
    );
    socket.once('connect', () => resolve());
    socket.once('error', reject);
    socket.once('close', () => clearTimeout(timer));
    socket.once('connect', () => socket.destroy());
  });
}

/**
 * Asks, and where the check says so follows redirects: the last answer counts. One time limit for all of it.
 * @throws Error with the reason, which may hold an address
 */
async function request(
  check: CheckSettings,
  url: string,
  timeoutMs: number,
  met: Map<string, X509Certificate>,
): Promise<HttpAnswer> {
  const limit = AbortSignal.timeout(timeoutMs);
  const tls = check.ca === undefined ? {} : { ca: await trusted(check.ca) };
  const way = check.through === undefined ? tls : { ...tls, ...through(check.through) };
  let ask: Ask = { url, method: check.method ?? 'GET', headers: check.headers ?? {}, body: check.body };
  for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
    const answer = await requestOnce(ask, limit, way).catch((error: unknown) => {
      if (limit.aborted) throw new Error(`no answer within ${duration(timeoutMs)}`);
      throw error;
    });
    const { hostname, port, origin } = new URL(ask.url);
    // That of the first address is watched by itself.
    if (answer.certificate !== undefined && origin !== new URL(url).origin) {
      met.set(`${hostname}:${port || 443}`, answer.certificate);
    }
    const next = check.follow === 'yes' ? nextAsk(ask, answer.status, answer.location) : undefined;
    if (next === undefined) return answer;
    ask = next;
  }
  throw new Error(`redirected more than ${MOST_REDIRECTS} times`);
}

/** One request of a check. */
export interface Ask {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

/**
 * Where a redirect leads; undefined where the answer is none. As browsers do: 303, and 301 or 302 after POST,
 * become GET; what says who asks does not go to another origin. Source: WHATWG Fetch, HTTP-redirect fetch.
 */
export function nextAsk(ask: Ask, status: number, location: string | undefined): Ask | undefined {
  if (location === undefined || ![301, 302, 303, 307, 308].includes(status)) return undefined;
  if (!URL.canParse(location, ask.url)) throw new Error('redirected to an invalid address');
  const next = new URL(location, ask.url);
  const before = new URL(ask.url);
  if (next.protocol !== 'http:' && next.protocol !== 'https:')
    throw new Error(`redirected to an address with ${next.protocol}`);
  const same = next.origin === before.origin;
  if (same && next.username === '') {
    next.username = before.username;
    next.password = before.password;
  }
  const get = (status === 303 && ask.method !== 'HEAD') || (status < 303 && ask.method === 'POST');
  const left = [...(same ? [] : PRIVATE_HEADERS), ...(get ? BODY_HEADERS : [])];
  const headers = Object.entries(ask.headers).filter(([name]) => !left.includes(name.toLowerCase()));
  return {
    url: next.href,
    method: get ? 'GET' : ask.method,
    headers: Object.fromEntries(headers),
    body: get ? undefined : ask.body,
  };
}

/** Settings of a connection that goes to an address of its own. */
type Way = Pick<RequestOptions, 'ca' | 'lookup' | 'rejectUnauthorized'>;

function through(address: string): Way {
  const family = isIP(address);
  return {
    rejectUnauthorized: false,
    lookup: (_name, options, done) =>
      options.all === true ? done(null, [{ address, family }]) : done(null, address, family),
  };
}

/** The usual authorities and one's own. */
async function trusted(path: string): Promise<string[]> {
  const { rootCertificates } = await import('node:tls');
  return [...rootCertificates, readFileSync(path, 'utf8')];
}

/**
 * On a connection of its own. The HTTP modules are loaded here, since an agent without checks does not need
 * them.
 */
export async function requestOnce(
  { url, method, headers, body }: Ask,
  signal: AbortSignal,
  way: Way = {},
): Promise<HttpAnswer & { readonly location?: string; readonly certificate?: X509Certificate }> {
  const secure = url.startsWith('https:');
  const module = secure ? await import('node:https') : await import('node:http');
  const options = {
    method,
    headers: { 'user-agent': 'pipeline-agent', ...headers },
    agent: false as const,
    signal,
    ...way,
  };
  return new Promise((resolve, reject) => {
    const outgoing = module.request(url, options, (incoming) => {
      const certificate = secure ? (incoming.socket as TLSSocket).getPeerX509Certificate() : undefined;
      readBody(incoming).then((text) => {
        outgoing.destroy();
        const { statusCode: status = 0, headers } = incoming;
        const { location } = headers;
        resolve({
          status,
          body: text,
          maintenance: status === 503 && headers[MAINTENANCE_HEADER.toLowerCase()] === 'on',
          ...(location === undefined ? {} : { location }),
          ...(certificate === undefined ? {} : { certificate }),
        });
      }, reject);
    });
    outgoing.once('error', reject);
    outgoing.end(body);
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
