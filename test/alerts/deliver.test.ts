/** Messages over the real protocols: HTTP servers and a mail server on loopback. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, expect, it } from 'vitest';
import { deliver, messageOf, reason, type Target } from '../../src/alerts/deliver.ts';
import type { Notice } from '../../src/alerts/types.ts';
import { alertsSchema } from '../../src/config/schema.ts';
import { alertPlaces } from '../../src/watching/desired.ts';

const notice = (
  message: string,
  state: Notice['state'] = 'firing',
  severity: 'warning' | 'critical' = 'warning',
): Notice => ({
  state,
  at: 2,
  alert: { key: `check|web|${message}`, rule: 'check', severity, subject: 'web', message, since: 1 },
});

const open: { close(done: () => void): unknown }[] = [];
afterEach(() =>
  Promise.all(open.splice(0).map((server) => new Promise<void>((done) => server.close(() => done())))),
);

interface Got {
  readonly path: string;
  readonly authorization?: string | undefined;
  readonly body: unknown;
}

async function http(answer: number | 'never'): Promise<{ readonly url: string; readonly got: Got[] }> {
  const got: Got[] = [];
  const server: Server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { authorization } = request.headers;
    got.push({
      path: request.url ?? '',
      authorization,
      body: JSON.parse(Buffer.concat(parts).toString()) as unknown,
    });
    if (answer !== 'never') response.writeHead(answer).end('thanks');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push({
    close(done) {
      server.close(done);
      server.closeAllConnections();
    },
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/s3cret`, got };
}

interface Mail {
  readonly to: string[];
  readonly user: string | undefined;
  readonly text: string;
}

async function mailServer(
  options: SMTPServerOptions = {},
  address = '127.0.0.1',
): Promise<{ readonly port: number; readonly mails: Mail[] }> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      password === 'p@ss' ? done(null, { user: username }) : done(new Error('wrong password')),
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        mails.push({
          to: session.envelope.rcptTo.map(({ address }) => address),
          user: session.user,
          text: Buffer.concat(parts).toString(),
        });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((done) => server.listen(0, address, done));
  open.push(server);
  return { port: (server.server.address() as AddressInfo).port, mails };
}

/** Key and certificate in one file, made for this run. */
function certificate(): { readonly key: string; readonly cert: string } {
  const args =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=mail ' +
    '-addext subjectAltName=IP:127.0.0.1';
  const made = spawnSync('openssl', [...args.split(' '), '-keyout', '-', '-out', '-'], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr ?? made.error?.message}`);
  return { key: made.stdout, cert: made.stdout };
}

const email = (smtp: string, tls?: string): Target => ({
  email: { to: ['ann@example.com', 'bob@example.com'], from: 'monitor@example.com', smtp, tls },
});

it('a webhook gets each message as JSON, in order', async () => {
  const { url, got } = await http(204);
  await deliver({ webhook: url }, [notice('it fails'), notice('it fails', 'resolved')], 'http://m/dashboard');
  expect(got.map(({ path }) => path)).toEqual(['/hook/s3cret', '/hook/s3cret']);
  expect(got[0]?.body).toEqual({
    state: 'firing',
    key: 'check|web|it fails',
    rule: 'check',
    severity: 'warning',
    subject: 'web',
    message: 'it fails',
    text: 'Warning: It fails.',
    since: 1,
    at: 2,
    dashboard: 'http://m/dashboard',
  });
  expect(got[1]?.body).toMatchObject({ state: 'resolved', text: 'Resolved: It fails.' });
});

it('a webhook gets the credentials of its address as a header', async () => {
  const { url, got } = await http(204);
  await deliver({ webhook: url.replace('//', '//ann:p%40ss@') }, [notice('it fails')], undefined);
  expect(got[0]?.authorization).toBe(`Basic ${Buffer.from('ann:p@ss').toString('base64')}`);
});

it('Slack gets one text for several, the gravest first, without anything like markup', async () => {
  const { url, got } = await http(200);
  const several = [notice('a unit <!channel> & co fails'), notice('the site is down', 'firing', 'critical')];
  await deliver({ slack: url }, several, 'http://m/dashboard');
  expect(got.map(({ body }) => body)).toEqual([
    {
      text:
        'Critical: The site is down.\nWarning: A unit &lt;!channel&gt; &amp; co fails.\n' +
        'http://m/dashboard',
    },
  ]);
});

it('e-mail goes to everybody over SMTP, signed in, and a line break in a name makes no header', async () => {
  const { port, mails } = await mailServer();
  await deliver(
    email(`smtp://ann:p%40ss@127.0.0.1:${port}`),
    [notice('unit\r\nBcc: eve@example.com fails')],
    'http://m/dashboard',
  );
  const [mail] = mails;
  expect(mail).toMatchObject({ to: ['ann@example.com', 'bob@example.com'], user: 'ann' });
  const [head = '', body = ''] = (mail?.text ?? '').split('\r\n\r\n');
  expect(head).toMatch(/^From: monitor@example\.com/m);
  expect(head).toMatch(/^Subject: Warning: Unit/m);
  expect(head).not.toMatch(/^Bcc:/m);
  expect(body).toContain('http://m/dashboard');
});

it('e-mail reaches a server that speaks TLS alone', async () => {
  const { key, cert } = certificate();
  const { port, mails } = await mailServer({ secure: true, key, cert });
  // As a team says it whose mail server has a certificate of its own making.
  await deliver(email(`smtps://127.0.0.1:${port}/?tls.rejectUnauthorized=false`), [notice('x')], undefined);
  expect(mails).toHaveLength(1);
});

it.each([
  [undefined, undefined],
  ['off', undefined],
  ['on', /self-signed/],
  ['the CA', undefined],
])('tls: %s, with a mail server on loopback that signed its own certificate', async (tls, why) => {
  const { key, cert } = certificate();
  const { port, mails } = await mailServer({ disabledCommands: [], key, cert });
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-mail-'));
  try {
    const file = join(folder, 'ca.pem');
    writeFileSync(file, cert);
    const target = email(`smtp://127.0.0.1:${port}`, tls === 'the CA' ? file : tls);
    const error = await deliver(target, [notice('x')], undefined, 2000).catch((thrown: unknown) => thrown);
    expect(error === undefined ? '' : reason(error)).toMatch(why ?? /^$/);
    expect(mails).toHaveLength(why === undefined ? 1 : 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('tls: off sends no password over a network', async () => {
  const away = email('smtp://ann:s3cret@192.0.2.1:25', 'off');
  const error = await deliver(away, [notice('x')], undefined, 300).catch((thrown: unknown) => thrown);
  expect(reason(error)).toBe('tls: off would send the password in the clear');
});

it.each([
  ['smtp://ann:p%23s%2Fs@mail.example:587', true],
  ['smtps://mail.example/?name=x', true],
  ['smtp://ann:p#s@mail.example:587', false],
  ['smtp://ann:12/s3cret@mail.example:587', false],
  ['smtp://ann:s3/cret@mail.example:587', false],
])('%s is the address of a mail server: %s', (smtp, right) => {
  const alerts = { notify: [{ email: { to: ['ann@example.com'], from: 'm@example.com', smtp } }] };
  const { success, error } = alertsSchema.safeParse(alerts);
  expect(success).toBe(right);
  if (right) return;
  expect(JSON.stringify(error)).toContain('# is %23');
  expect(JSON.stringify(error)).not.toMatch(/s3|cret/);
  const fromEnvironment = alertsSchema.parse({
    notify: [{ email: { to: ['ann@example.com'], from: 'm@example.com', smtp: { env: 'SMTP' } } }],
  });
  expect(() => alertPlaces(fromEnvironment, { SMTP: smtp })).toThrow(/^(?!.*(s3|cret)).*# is %23/);
});

it.each<[string, () => Promise<Target>, RegExp]>([
  ['a webhook that answers 500', async () => ({ webhook: (await http(500)).url }), /it answered 500/],
  ['a webhook that never answers', async () => ({ webhook: (await http('never')).url }), /in time/],
  [
    'a webhook that nobody serves',
    async () => ({ slack: 'http://127.0.0.1:9/hook/s3cret' }),
    /ECONNREFUSED|bad port/,
  ],
  [
    'a mail server that refuses the password',
    async () => email(`smtp://ann:s3cret@127.0.0.1:${(await mailServer()).port}`),
    /Invalid login/,
  ],
  [
    'a mail server that says nothing',
    async () => {
      const { createServer: listen } = await import('node:net');
      const silent = listen((socket) => socket.on('error', () => {}).unref()).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      open.push({ close: (done) => done() });
      silent.unref();
      return email(`smtp://ann:s3cret@127.0.0.1:${(silent.address() as AddressInfo).port}`);
    },
    /[Gg]reeting|[Tt]imeout/,
  ],
])('%s is a failure that says why, without the address', async (_title, make, why) => {
  const target = await make();
  const error = await deliver(target, [notice('x')], undefined, 300).catch((thrown: unknown) => thrown);
  expect(reason(error)).toMatch(why);
  expect(reason(error)).not.toContain('s3cret');
});

it('a password goes to no mail server elsewhere without TLS', async () => {
  // Not one of the addresses that count as this machine.
  const { port, mails } = await mailServer({}, '127.0.0.2');
  const away = email(`smtp://ann:p%40ss@127.0.0.2:${port}`);
  const error = await deliver(away, [notice('x')], undefined, 2000).catch((thrown: unknown) => thrown);
  expect(reason(error)).toMatch(/STARTTLS/);
  expect(mails).toEqual([]);
});

it('a message has the gravest in its subject', () => {
  expect(
    messageOf([notice('a', 'resolved'), notice('b'), notice('c', 'firing', 'critical')], undefined),
  ).toEqual({
    subject: 'Critical: C. And 2 more.',
    text: 'Critical: C.\nWarning: B.\nResolved: A.',
  });
});
