/** Asking another host's site: a short text, or nothing. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { web } from '../../src/onhost/real/web.ts';

const folder = mkdtempSync(join(tmpdir(), 'web-'));
const answer: RequestListener = (request, response) => {
  if (request.url === '/long') response.end('x'.repeat(100_000));
  else if (request.url === '/broken') request.socket.destroy();
  else {
    response.statusCode = request.url === '/word' ? 200 : 404;
    response.end(`for ${request.headers.host}`);
  }
};
const servers: Server[] = [];
const ports = { plain: 0, secure: 0 };

beforeAll(async () => {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=shop'];
  spawnSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert]);
  const secure = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) }, answer);
  servers.push(createServer(answer), secure);
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening');
  [ports.plain = 0, ports.secure = 0] = servers.map((server) => (server.address() as AddressInfo).port);
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

const ask = (path: string, more: Partial<Parameters<typeof web.ask>[0]> = {}) =>
  web.ask({ address: '127.0.0.1', port: ports.plain, tls: false, name: 'shop.test', ...more }, path);

test('the text of a good answer, by the name of the site', async () => {
  expect(await ask('/word')).toBe('for shop.test');
  expect(await ask('/word', { name: null })).toBe(`for 127.0.0.1:${ports.plain}`);
  expect(await ask('/word', { tls: true, port: ports.secure })).toBe('for shop.test');
});

test.each(['/nothing', '/long', '/broken'])('nothing of %s', async (path) => {
  expect(await ask(path)).toBeUndefined();
});

test('nothing where nobody listens', async () => {
  expect(await ask('/word', { port: 9 })).toBeUndefined();
});
