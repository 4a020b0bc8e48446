import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateCollector, describeCertificate } from '../../src/agent/collectors/certificates.ts';
import {
  type CheckSettings,
  checkCollector,
  judgeAnswer,
  nextAsk,
} from '../../src/agent/collectors/checks.ts';
import { storeCollector } from '../../src/agent/collectors/stores.ts';

const directory = mkdtempSync(join(tmpdir(), 'pipeline-checks-'));
const certificateFile = join(directory, 'cert.pem');
const servers: Server[] = [];
let http = '';
let silent = '';
let tls = '';
let secure = '';
const secureFile = join(directory, 'localhost.pem');

async function listen(server: Server): Promise<string> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

beforeAll(async () => {
  const key = join(directory, 'key.pem');
  const args = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '30',
    '-subj',
    '/O=Test/CN=checkbox.example',
  ];
  spawnSync('openssl', [...args, '-keyout', key, '-out', certificateFile]);
  http = await listen(
    createHttpServer((request, response) => {
      if (request.url === '/slow') return;
      if (request.url === '/cut') return void request.socket.destroy();
      if (request.url === '/moved') return void response.writeHead(301, { location: '/200' }).end();
      if (request.url === '/lost') return void response.writeHead(302, { location: '/500' }).end();
      if (request.url === '/round') return void response.writeHead(307, { location: '/round' }).end();
      if (request.url === '/closed')
        return void response.writeHead(503, { 'x-pipeline-maintenance': 'on' }).end();
      response.statusCode = Number(request.url?.slice(1)) || 200;
      response.end(`hello ${request.method} ${request.headers['x-test'] ?? ''}`);
    }),
  );
  const own = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=localhost'];
  const names = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', join(directory, 'own.pem')];
  spawnSync('openssl', [...own, ...names, '-out', secureFile]);
  const pair = { key: readFileSync(join(directory, 'own.pem')), cert: readFileSync(secureFile) };
  secure = await listen(createHttpsServer(pair, (_request, response) => response.end('hello')));
  silent = await listen(createServer(() => {}));
  tls = await listen(createTlsServer({ key: readFileSync(key), cert: readFileSync(certificateFile) }));
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(directory, { recursive: true });
});

async function run(check: Omit<CheckSettings, 'name'>) {
  const { checks } = await checkCollector({ name: 'probe', timeoutSeconds: 10, ...check }).collect(
    0,
    Date.now(),
  );
  return checks?.[0];
}

describe('an answer is the expected one', () => {
  it.each([
    [{}, 200, ''],
    [{}, 302, ''],
    [{}, 404, 'answered 404'],
    [{ status: [404] }, 404, ''],
    [{ status: [200, 404] }, 404, ''],
    [{ status: [200, 204] }, 404, 'answered 404, not 200 or 204'],
    [{ below: 500 }, 404, ''],
    [{ below: 500 }, 502, 'answered 502'],
    [{ status: [200] }, 204, 'answered 204, not 200'],
    [{ contains: 'survey' }, 200, 'the answer does not contain "survey"'],
    [{ contains: 'hello' }, 200, ''],
  ])('%j, %i: %j', (check, status, reason) => {
    expect(judgeAnswer({ name: 'x', ...check }, { status, body: 'hello' })).toBe(reason);
  });
});

describe('a check over HTTP', () => {
  it('is up with the time that it took', async () => {
    const row = await run({
      url: `http://${http}/200`,
      method: 'POST',
      headers: { 'x-test': 'yes' },
      contains: 'POST yes',
    });
    expect(row).toMatchObject({ check: 'probe', up: 1, error: '' });
    expect(row?.duration).toBeGreaterThan(0);
  });

  it.each([
    ['/500', 'answered 500'],
    ['/slow', 'no answer within 300 ms'],
    ['/cut', 'socket hang up'],
  ])('%s is down: %s', async (path, error) => {
    const limit = path === '/slow' ? { timeoutSeconds: 0.3 } : {};
    expect(await run({ url: `http://${http}${path}`, ...limit })).toMatchObject({ up: 0, error });
  });
  it('is up where somebody closed the site for maintenance: nobody is to be called', async () => {
    expect(await run({ url: `http://${http}/closed`, contains: 'hello' })).toMatchObject({
      up: 1,
      error: '',
    });
    expect(await run({ url: `http://${http}/503` })).toMatchObject({ up: 0 });
  });
});

describe('a check that meets a redirect', () => {
  it.each([
    ['/moved', 'yes', [200], ''],
    ['/lost', 'yes', undefined, 'answered 500'],
    ['/round', 'yes', undefined, 'redirected more than 10 times'],
    ['/moved', 'no', [200], 'answered 301, not 200'],
    ['/moved', undefined, [301], ''],
  ] as const)('%s, follow %s, status %j: %j', async (path, follow, status, error) => {
    const row = await run({ url: `http://${http}${path}`, follow, status });
    expect(row).toMatchObject({ up: error === '' ? 1 : 0, error });
  });

  const ask = {
    url: 'https://ann:s3cret@a.example/x',
    method: 'POST',
    headers: { Authorization: 'Bearer s3cret', 'content-type': 'text/plain', accept: '*/*' },
    body: 'hello',
  };

  it('tells another origin nothing of who asks, and sends no body after a GET', () => {
    expect(nextAsk(ask, 302, 'https://b.example/')).toEqual({
      url: 'https://b.example/',
      method: 'GET',
      headers: { accept: '*/*' },
      body: undefined,
    });
    expect(nextAsk(ask, 308, '/y')).toEqual({ ...ask, url: 'https://ann:s3cret@a.example/y' });
    expect(nextAsk(ask, 200, '/y')).toBeUndefined();
    expect(() => nextAsk(ask, 302, 'file:///etc/passwd')).toThrow(/redirected to an address with file:/);
  });
});

it("a check trusts a CA of one's own", async () => {
  const port = Number(secure.split(':')[1]);
  const url = `https://localhost:${port}/200`;
  expect(await run({ url })).toMatchObject({
    up: 0,
    error: expect.stringMatching(/self.signed/),
  });
  expect(await run({ url, ca: secureFile })).toMatchObject({ up: 1, error: '' });
});

it('a check goes through another address than its name has, and its certificate is not judged', async () => {
  const port = Number(secure.split(':')[1]);
  const url = `https://shop.invalid:${port}/200`;
  expect(await run({ url })).toMatchObject({ up: 0 });
  expect(await run({ url, through: '127.0.0.1', contains: 'hello' })).toMatchObject({
    up: 1,
    error: '',
  });
});

it('a redirect to https shows the certificate there, once an hour (uptime-kuma#3921)', async () => {
  const target = `https://localhost:${secure.split(':')[1]}/200`;
  const redirecting = await listen(
    createHttpServer((_, response) => response.writeHead(301, { location: target }).end()),
  );
  const check = checkCollector({
    ...{ name: 'probe', url: `http://${redirecting}/`, follow: 'yes', ca: secureFile },
  });
  const first = await check.collect(0, Date.now());
  expect(first.checks).toMatchObject([{ up: 1 }]);
  expect(first.certificates).toMatchObject([
    { endpoint: `localhost:${secure.split(':')[1]}`, subject: 'localhost', error: '' },
  ]);
  expect(Number(first.certificates?.[0]?.expires)).toBeGreaterThan(Date.now() / 1000 + 86_400);
  expect(await check.collect(0, Date.now())).not.toHaveProperty('certificates');
});

it('the credentials of a check are in no sample', async () => {
  const row = await run({ url: `http://ann:s3cret@${http}/200` });
  expect(row).toMatchObject({ up: 1, target: `http://***@${http}/200` });
});

describe('a check over TCP', () => {
  it('is up where somebody listens', async () => {
    expect(await run({ tcp: silent })).toMatchObject({ up: 1, error: '' });
    expect(await run({ tcp: '127.0.0.1:1' })).toMatchObject({
      up: 0,
      error: expect.stringMatching(/ECONNREFUSED/),
    });
  });
});

it('what is not there yet is neither well nor broken', async () => {
  const once = join(directory, 'deployed');
  const check = { name: 'probe', tcp: '127.0.0.1:1', once };
  expect(await checkCollector(check).collect(0, Date.now())).toEqual({});
  const store = { name: 'main', kind: 'mongodb', address: '127.0.0.1:1', once } as const;
  expect(await storeCollector(store).collect(0, Date.now())).toEqual({});
  writeFileSync(once, '');
  expect((await checkCollector(check).collect(0, Date.now())).checks).toHaveLength(1);
  expect((await storeCollector(store).collect(0, Date.now())).stores).toMatchObject([{ up: 0 }]);
});

describe('a certificate', () => {
  it('is told by its end and its name', () => {
    const { expires, subject } = describeCertificate(new X509Certificate(readFileSync(certificateFile)));
    expect(subject).toBe('checkbox.example');
    expect(expires - Date.now() / 1000).toBeGreaterThan(29 * 86_400);
    expect(expires - Date.now() / 1000).toBeLessThan(31 * 86_400);
  });

  it('is read from a server, trusted or not, and from a file', async () => {
    for (const endpoint of [tls, certificateFile]) {
      const { certificates } = await certificateCollector(endpoint).collect(0, Date.now());
      expect(certificates).toMatchObject([{ endpoint, subject: 'checkbox.example', error: '' }]);
    }
  });

  it('is asked for by the name that it is for, where one server has several', async () => {
    const asked: string[] = [];
    const pem = { key: readFileSync(join(directory, 'key.pem')), cert: readFileSync(certificateFile) };
    const SNICallback: TlsOptions['SNICallback'] = (name, done) => {
      asked.push(name);
      done(null, createSecureContext(pem));
    };
    const server = await listen(createTlsServer({ ...pem, SNICallback }));
    const { certificates } = await certificateCollector(`shop.example@${server}`).collect(0, Date.now());
    expect(certificates).toMatchObject([{ endpoint: 'shop.example', error: '' }]);
    expect(asked).toEqual(['shop.example']);
  });

  it('that cannot be read is reported with the reason', async () => {
    for (const [endpoint, reason] of [
      ['127.0.0.1:1', /ECONNREFUSED/],
      ['/nosuch.pem', /ENOENT/],
    ] as const) {
      const { certificates } = await certificateCollector(endpoint).collect(0, Date.now());
      expect(certificates?.[0]).toMatchObject({ expires: null, error: expect.stringMatching(reason) });
    }
  });
});
