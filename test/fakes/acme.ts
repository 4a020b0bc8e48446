/**
 * A certificate authority that speaks ACME (RFC 8555) as far as a client needs it: one kind of challenge,
 * http-01, which it really asks. Every request's signature, nonce and address are checked. Its clients are
 * real ones (dehydrated), so what it leaves out, they do not use.
 */
import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey, type JsonWebKey, randomBytes, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

export interface FakeAuthority {
  readonly directory: string;
  /** PEM of its root certificate. */
  readonly root: string;
  /** Days that the certificates from now on are valid. */
  days: number;
  /** Orders since it began. */
  readonly orders: number;
  stop(): Promise<void>;
}

const jwsSchema = z.object({ protected: z.string(), payload: z.string(), signature: z.string() });
const headerSchema = z.object({
  alg: z.enum(['RS256', 'ES256']),
  nonce: z.string(),
  url: z.string(),
  jwk: z.record(z.string(), z.string()).optional(),
  kid: z.string().optional(),
});

/** RFC 7807. */
class Problem extends Error {
  readonly type: string;
  constructor(type: string, detail: string) {
    super(detail);
    this.type = `urn:ietf:params:acme:error:${type}`;
  }
}

interface Order {
  readonly names: readonly string[];
  status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';
  certificate?: string;
}
interface Authorization {
  readonly order: number;
  readonly name: string;
  readonly token: string;
  status: 'pending' | 'valid' | 'invalid';
  error?: { readonly type: string; readonly detail: string };
}

const decode = (text: string) => Buffer.from(text, 'base64url');

/**
 * @param address of this machine, as clients reach it. @param resolve which address a domain leads to;
 * undefined: none
 */
export async function startAuthority(
  address: string,
  resolve: (domain: string) => string | undefined,
): Promise<FakeAuthority> {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-acme-'));
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...curve,
    '-days',
    '30',
    '-subj',
    '/CN=Fake authority',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  );
  const nonces = new Set<string>();
  const accounts = new Map<string, JsonWebKey>();
  const orders: Order[] = [];
  const authorizations: Authorization[] = [];
  const state = { days: 90, requests: 0 };
  let base = '';

  const thumbprint = (key: JsonWebKey) => {
    const members =
      key.kty === 'RSA'
        ? { e: key.e, kty: key.kty, n: key.n }
        : { crv: key.crv, kty: key.kty, x: key.x, y: key.y };
    return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
  };

  /** RFC 8555, section 6. */
  function opened(text: string, path: string): { payload: Buffer; key: JsonWebKey } {
    const jws = jwsSchema.parse(JSON.parse(text));
    const header = headerSchema.parse(JSON.parse(decode(jws.protected).toString()));
    // A good one is refused once, as authorities may do at any time.
    if (!nonces.delete(header.nonce) || ++state.requests === 5)
      throw new Problem('badNonce', 'this nonce was used, or is not from here');
    if (header.url !== `${base}${path}`) throw new Problem('unauthorized', `signed for ${header.url}`);
    if ((header.jwk === undefined) === (header.kid === undefined))
      throw new Problem('malformed', 'either jwk or kid');
    const key = header.jwk ?? accounts.get(header.kid ?? '');
    if (key === undefined) throw new Problem('accountDoesNotExist', `no account ${header.kid}`);
    const good = verify(
      'sha256',
      Buffer.from(`${jws.protected}.${jws.payload}`),
      {
        key: createPublicKey({ key, format: 'jwk' }),
        ...(header.alg === 'ES256' ? { dsaEncoding: 'ieee-p1363' as const } : {}),
      },
      decode(jws.signature),
    );
    if (!good) throw new Problem('malformed', 'the signature is wrong');
    return { payload: decode(jws.payload), key };
  }

  const orderOf = (index: number) => {
    const order = orders[index];
    if (order === undefined) throw new Problem('malformed', `no order ${index}`);
    return order;
  };
  const authorizationOf = (index: number) => {
    const authorization = authorizations[index];
    if (authorization === undefined) throw new Problem('malformed', `no authorization ${index}`);
    return authorization;
  };
  const orderText = (index: number) => {
    const { names, status, certificate } = orderOf(index);
    return {
      status,
      identifiers: names.map((value) => ({ type: 'dns', value })),
      authorizations: authorizations.flatMap((one, i) =>
        one.order === index ? [`${base}/authorization/${i}`] : [],
      ),
      finalize: `${base}/finalize/${index}`,
      ...(certificate === undefined ? {} : { certificate: `${base}/certificate/${index}` }),
    };
  };
  const challengeText = (index: number) => {
    const { token, status, error } = authorizationOf(index);
    return {
      type: 'http-01',
      url: `${base}/challenge/${index}`,
      token,
      status,
      ...(error === undefined ? {} : { error }),
    };
  };

  async function attempt(index: number, key: JsonWebKey): Promise<void> {
    const authorization = authorizationOf(index);
    const { name, token } = authorization;
    const to = resolve(name);
    const path = `/.well-known/acme-challenge/${token}`;
    const said = to === undefined ? `no address for ${name}` : await answerOf(to, name, path);
    const right = said === `${token}.${thumbprint(key)}`;
    authorization.status = right ? 'valid' : 'invalid';
    if (!right)
      authorization.error = {
        type: 'urn:ietf:params:acme:error:connection',
        detail: `http://${name}${path}: ${said.slice(0, 80)}`,
      };
    const order = orderOf(authorization.order);
    const all = authorizations.filter((one) => one.order === authorization.order);
    if (all.every(({ status }) => status === 'valid')) order.status = 'ready';
    if (!right) order.status = 'invalid';
  }

  function issue(index: number, csr: Buffer): void {
    const order = orderOf(index);
    if (order.status !== 'ready') throw new Problem('orderNotReady', `the order is ${order.status}`);
    writeFileSync(join(folder, 'request.der'), csr);
    const request = openssl(
      'req',
      '-inform',
      'DER',
      '-in',
      'request.der',
      '-noout',
      '-text',
      '-verify',
    ).toString();
    const names = [...request.matchAll(/DNS:([^,\s]+)/g)].map(([, name]) => name);
    if (names.sort().join() !== [...order.names].sort().join())
      throw new Problem('badCSR', `for ${names.join()}`);
    openssl('req', '-inform', 'DER', '-in', 'request.der', '-out', 'request.pem');
    openssl(
      'x509',
      '-req',
      '-in',
      'request.pem',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      String(state.days),
      '-copy_extensions',
      'copy',
      '-out',
      'issued.crt',
    );
    order.certificate =
      readFileSync(join(folder, 'issued.crt'), 'utf8') + readFileSync(join(folder, 'ca.crt'), 'utf8');
    order.status = 'valid';
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const send = (status: number, body: unknown, headers: Record<string, string> = {}) => {
      const nonce = randomBytes(12).toString('base64url');
      nonces.add(nonce);
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      response.writeHead(status, { 'replay-nonce': nonce, 'content-type': 'application/json', ...headers });
      response.end(request.method === 'HEAD' ? undefined : text);
    };
    try {
      if (path === '/directory') {
        const meta = { termsOfService: `${base}/terms` };
        return send(200, {
          newNonce: `${base}/nonce`,
          newAccount: `${base}/account`,
          newOrder: `${base}/order`,
          revokeCert: `${base}/revoke`,
          keyChange: `${base}/key`,
          meta,
        });
      }
      if (path === '/nonce') return send(request.method === 'HEAD' ? 200 : 204, '');
      if (request.method !== 'POST') return send(405, {});
      const { payload, key } = opened(await bodyOf(request), path);
      const asked = payload.length === 0 ? {} : JSON.parse(payload.toString());
      const [, what = '', number] = /^\/(\w+)(?:\/(\d+))?$/.exec(path) ?? [];
      const index = Number(number);
      if (what === 'account') {
        const known = accounts.has(`${base}/account/${thumbprint(key)}`);
        if (asked.onlyReturnExisting === true && !known)
          throw new Problem('accountDoesNotExist', 'no account has this key');
        if (!known && asked.termsOfServiceAgreed !== true)
          throw new Problem('userActionRequired', 'agree to the terms');
        const account = `${base}/account/${thumbprint(key)}`;
        accounts.set(account, key);
        return send(
          known ? 200 : 201,
          { status: 'valid', contact: asked.contact ?? [] },
          { location: account },
        );
      }
      if (what === 'order' && number === undefined) {
        const names: string[] = asked.identifiers.map(({ value }: { value: string }) => value);
        const order = orders.push({ names, status: 'pending' }) - 1;
        for (const name of names)
          authorizations.push({
            order,
            name,
            token: randomBytes(16).toString('base64url'),
            status: 'pending',
          });
        return send(201, orderText(order), { location: `${base}/order/${order}` });
      }
      if (what === 'order') return send(200, orderText(index));
      if (what === 'authorization') {
        const { name, status } = authorizationOf(index);
        return send(200, {
          status,
          identifier: { type: 'dns', value: name },
          challenges: [challengeText(index)],
        });
      }
      if (what === 'challenge') {
        if (payload.length > 0) await attempt(index, key);
        return send(200, challengeText(index), { link: `<${base}/authorization/${index}>;rel="up"` });
      }
      if (what === 'finalize') {
        issue(index, decode(asked.csr));
        return send(200, orderText(index), { location: `${base}/order/${index}` });
      }
      if (what === 'certificate')
        return send(200, orderOf(index).certificate ?? '', {
          'content-type': 'application/pem-certificate-chain',
        });
      throw new Problem('malformed', `nothing at ${path}`);
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem('serverInternal', String(error));
      send(
        400,
        { type: problem.type, detail: problem.message },
        { 'content-type': 'application/problem+json' },
      );
    }
  }

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((listening) => server.listen(0, address, listening));
  base = `http://${address}:${(server.address() as AddressInfo).port}`;
  return {
    directory: `${base}/directory`,
    root: readFileSync(join(folder, 'ca.crt'), 'utf8'),
    get days() {
      return state.days;
    },
    set days(days: number) {
      state.days = days;
    },
    get orders() {
      return orders.length;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The body at a path, or what went wrong. */
function answerOf(address: string, host: string, path: string): Promise<string> {
  return new Promise((resolve) => {
    const asked = get({ host: address, path, headers: { host }, timeout: 5_000 }, (response) => {
      bodyOf(response).then((text) =>
        resolve(response.statusCode === 200 ? text.trim() : `status ${response.statusCode}`),
      );
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer in 5 s')));
    asked.on('error', (error) => resolve(error.message));
  });
}

async function bodyOf(stream: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of stream) text += part;
  return text;
}
