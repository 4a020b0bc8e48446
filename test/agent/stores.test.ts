import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { storeCollector } from '../../src/agent/collectors/stores.ts';
import { decodeBson, encodeBson } from '../../src/agent/stores/bson.ts';
import { Conversation, splitAddress } from '../../src/agent/stores/conversation.ts';
import { scramProof } from '../../src/agent/stores/mongodb.ts';
import { parseError, parseGreeting, parseRow, scramble } from '../../src/agent/stores/mysql.ts';
import { parseInfo } from '../../src/agent/stores/redis.ts';
import { redisUnavailable, TestRedis } from './redis-server.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server on loopback that answers as `serve` does. */
async function fakeServer(serve: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => serve(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

async function look(store: Parameters<typeof storeCollector>[0]) {
  const { stores } = await storeCollector(store).collect(0, Date.now());
  return stores?.[0];
}

describe('Redis', () => {
  const reason = redisUnavailable();
  if (reason !== undefined) process.stderr.write(`test/agent/stores.test.ts, Redis: skipped: ${reason}\n`);

  it('tells in INFO', () => {
    const info =
      '# Clients\r\nconnected_clients:3\r\ncluster_connections:9\r\n# Memory\r\n' +
      'used_memory:1050000\r\nused_memory_rss:9\r\n';
    expect(parseInfo(info)).toEqual({ connections: 3, size: 1050000, error: '' });
    expect(parseInfo('')).toEqual({ connections: null, size: null, error: '' });
  });

  it.skipIf(reason !== undefined)('is asked, and is down when it is', async () => {
    const redis = await TestRedis.start();
    try {
      const store = { name: 'main', kind: 'redis', address: redis.socket } as const;
      expect(await look(store)).toMatchObject({
        store: 'main',
        kind: 'redis',
        up: 1,
        connections: 1,
        error: '',
      });
      await redis.admin('ACL', 'SETUSER', 'default', 'resetpass', '>x');
      expect(await look(store)).toMatchObject({ up: 0, error: expect.stringMatching(/NOAUTH/) });
      await redis.kill();
      expect(await look(store)).toMatchObject({
        up: 0,
        connections: null,
        error: expect.stringMatching(/ECONNREFUSED/),
      });
    } finally {
      await redis.remove();
    }
  });
});

describe('the MySQL protocol', () => {
  it('begins with a greeting (MariaDB 10.11 of Debian 12)', () => {
    const greeting = Buffer.concat([
      Buffer.from([10]),
      Buffer.from('5.5.5-10.11.6-MariaDB-0+deb12u1\0'),
      Buffer.from([31, 0, 0, 0]),
      Buffer.from('12345678\0'),
      Buffer.from('fef72d0200ff811500000000000003000000', 'hex'),
      Buffer.from('abcdefghijkl\0mysql_native_password\0'),
    ]);
    const { version, challenge } = parseGreeting(greeting);
    expect([version, challenge.toString()]).toEqual([
      '5.5.5-10.11.6-MariaDB-0+deb12u1',
      '12345678abcdefghijkl',
    ]);
  });

  it.each([
    [
      'an error',
      Buffer.concat([Buffer.from([0xff, 0x15, 0x04]), Buffer.from('Host is blocked')]),
      /Host is blocked/,
    ],
    ['another protocol', Buffer.from('220 ready'), /does not speak/],
  ])('may begin with %s', (_, packet, reason) => {
    expect(() => parseGreeting(packet)).toThrow(reason);
  });

  it('scrambles a password so that the server, who knows SHA1(SHA1(password)), can check it', () => {
    const challenge = Buffer.from('12345678abcdefghijkl');
    const answer = scramble('secret', challenge);
    const sha1 = (...parts: Buffer[]) => createHash('sha1').update(Buffer.concat(parts)).digest();
    const stored = sha1(sha1(Buffer.from('secret')));
    const mask = sha1(challenge, stored);
    expect(sha1(Buffer.from(answer.map((byte, i) => byte ^ (mask[i] ?? 0))))).toEqual(stored);
    expect(scramble('', challenge)).toHaveLength(0);
  });

  it('has rows of texts and errors with a state', () => {
    const row = Buffer.concat([
      Buffer.from([3]),
      Buffer.from('abc'),
      Buffer.from([0xfb, 0xfc, 4, 0]),
      Buffer.from('long'),
    ]);
    expect(parseRow(row)).toEqual(['abc', null, 'long']);
    expect(parseError(Buffer.from('\xff\x15\x04#28000Access denied', 'latin1'))).toBe('Access denied');
  });
});

describe('BSON', () => {
  it('comes back as it was', () => {
    const document = { hello: 1, name: 'ü', yes: true, bytes: Buffer.from([1, 2]), inner: { a: -5 } };
    const read = decodeBson(encodeBson(document));
    expect([read.get('hello'), read.get('name'), read.get('yes'), read.get('bytes')]).toEqual([
      1,
      'ü',
      true,
      Buffer.from([1, 2]),
    ]);
    expect((read.get('inner') as Map<string, unknown>).get('a')).toBe(-5);
  });

  it('may hold numbers of 64 bits, dates, identifiers, lists and nothing', () => {
    const elements = Buffer.concat([
      Buffer.from('\x12n\0\x00\x00\x00\x00\x01\x00\x00\x00', 'latin1'),
      Buffer.from('\x09d\0\xe8\x03\x00\x00\x00\x00\x00\x00', 'latin1'),
      Buffer.from(`\x07i\0${'x'.repeat(12)}`, 'latin1'),
      Buffer.from('\x0ae\0', 'latin1'),
      Buffer.from('\x01f\0\x00\x00\x00\x00\x00\x00\xf8\x3f', 'latin1'),
      Buffer.from('\x04l\0\x0c\x00\x00\x00\x100\0\x07\x00\x00\x00\x00', 'latin1'),
    ]);
    const size = Buffer.alloc(4);
    size.writeInt32LE(elements.length + 5);
    const read = decodeBson(Buffer.concat([size, elements, Buffer.from([0])]));
    expect([...read.keys()]).toEqual(['n', 'd', 'i', 'e', 'f', 'l']);
    expect([read.get('n'), read.get('d'), read.get('e'), read.get('f')]).toEqual([2 ** 32, 1000, null, 1.5]);
    expect(read.get('l')).toEqual(new Map([['0', 7]]));
  });
});

describe('MongoDB', () => {
  it("signs in by SCRAM-SHA-256 with RFC 7677's example", () => {
    const nonce = 'rOprNGfwEbeRWgbNEkqO';
    const challenge = `r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
    const { message, signature } = scramProof('pencil', nonce, `n=user,r=${nonce}`, challenge);
    expect(message).toBe(
      `c=biws,r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
    );
    expect(signature.toString('base64')).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
  });

  it.each([
    ['another nonce', 'r=evil,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'],
    ['few rounds', 'r=abc1,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1'],
    ['so many rounds that it would never end', 'r=abc1,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=999999999'],
    ['nothing', ''],
  ])('gives no proof to a server that answers with %s', (_, challenge) => {
    expect(() => scramProof('pencil', 'abc', 'n=user,r=abc', challenge)).toThrow(/is not valid/);
  });

  it('is asked for connections and size', async () => {
    const address = await fakeServer(mongo('agent', 'secret'));
    const store = { name: 'studies', kind: 'mongodb', address } as const;
    expect(await look({ ...store, user: 'agent', password: 'secret' })).toMatchObject({
      up: 1,
      connections: 12,
      size: 5000,
      error: '',
    });
    expect(await look({ ...store, user: 'agent', password: 'wrong' })).toMatchObject({
      up: 0,
      error: 'Authentication failed.',
    });
    expect(await look(store)).toMatchObject({
      up: 1,
      connections: null,
      error: 'connections and size unknown: Command serverStatus requires authentication',
    });
  });
});

describe('a database that is none', () => {
  it.each([
    ['mysql', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['mongodb', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['redis', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ] as const)('is down, and nothing else happens: %s', async (kind, answer) => {
    const address = await fakeServer((socket) => socket.end(answer));
    const row = await look({ name: 'x', kind, address, user: 'u', password: 'p' });
    expect(row).toMatchObject({ up: 0 });
    expect(row?.error).not.toBe('');
  });

  it('does not keep us waiting', async () => {
    const address = await fakeServer(() => {});
    const started = Date.now();
    await expect(Conversation.with(address, (conversation) => conversation.read(4))).rejects.toThrow(
      /no answer within 5 s/,
    );
    expect(Date.now() - started).toBeLessThan(7000);
  });

  it.each([
    ['127.0.0.1:3306', { host: '127.0.0.1', port: 3306 }],
    ['[::1]:3306', { host: '::1', port: 3306 }],
    ['/run/mysqld/mysqld.sock', { path: '/run/mysqld/mysqld.sock' }],
  ])('is found at %s', (address, expected) => {
    expect(splitAddress(address)).toEqual(expected);
  });
});

/** A server that speaks MongoDB's protocol and checks SCRAM-SHA-256 as RFC 5802 says. */
function mongo(user: string, password: string): (socket: Socket) => void {
  return (socket) => {
    let first = '';
    let signedIn = false;
    let challenge = '';
    const salt = Buffer.from('salt of sixteen.');
    const salted = pbkdf2Sync(password, salt, 4096, 32, 'sha256');
    const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest();
    const answer = (body: Parameters<typeof encodeBson>[0]) => {
      const document = encodeBson(body);
      const head = Buffer.alloc(21);
      head.writeInt32LE(21 + document.length, 0);
      head.writeInt32LE(2013, 12);
      socket.write(Buffer.concat([head, document]));
    };
    // `ok` is a double in MongoDB's answers; FerretDB's too. An integer reads the same.
    const commands: Record<string, (body: Map<string, unknown>) => void> = {
      ping: () => answer({ ok: 1 }),
      saslStart: (body) => {
        first = String(body.get('payload')).slice(3);
        challenge = `${/r=.*/.exec(first)?.[0]}server,s=${salt.toString('base64')},i=4096`;
        if (!first.startsWith(`n=${user},`)) return answer({ ok: 0, errmsg: 'Authentication failed.' });
        answer({ ok: 1, conversationId: 5, done: false, payload: Buffer.from(challenge) });
      },
      saslContinue: (body) => {
        const [withoutProof = '', proof = ''] = String(body.get('payload')).split(',p=');
        const messages = `${first},${challenge},${withoutProof}`;
        const stored = createHash('sha256').update(hmac(salted, 'Client Key')).digest();
        const mask = hmac(stored, messages);
        const key = Buffer.from(Buffer.from(proof, 'base64').map((byte, i) => byte ^ (mask[i] ?? 0)));
        if (!createHash('sha256').update(key).digest().equals(stored))
          return answer({ ok: 0, errmsg: 'Authentication failed.' });
        signedIn = true;
        const signature = hmac(hmac(salted, 'Server Key'), messages).toString('base64');
        answer({ ok: 1, conversationId: 5, done: true, payload: Buffer.from(`v=${signature}`) });
      },
      serverStatus: () =>
        signedIn
          ? answer({ ok: 1, connections: { current: 12 } })
          : answer({ ok: 0, errmsg: 'Command serverStatus requires authentication' }),
      listDatabases: () => answer({ ok: 1, totalSize: 5000 }),
    };
    socket.on('data', (data: Buffer) => {
      const body = decodeBson(data, 21);
      commands[[...body.keys()][0] ?? '']?.(body);
    });
  };
}
