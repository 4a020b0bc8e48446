/** A real Redis for tests: Debian's redis-server, on loopback or with TLS, in a folder of its own. */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisAddress, RedisConnection } from '../../src/agent/sender/resp.ts';
import { spawnMortal } from '../support/mortal.ts';

/** Why there is none, with the command that would enable it. */
export function redisUnavailable(): string | undefined {
  const missing = ['redis-server', 'openssl'].filter(
    (name) => spawnSync(name, ['--version']).status === null && spawnSync(name, ['version']).status === null,
  );
  return missing.length === 0
    ? undefined
    : `this machine lacks ${missing.join(' and ')}: run \`apt-get install --yes ${missing.join(' ')}\``;
}

export class TestRedis {
  readonly directory = mkdtempSync(join(tmpdir(), 'pipeline-redis-'));
  /** The administrator's way in: a Unix socket. */
  readonly socket = join(this.directory, 'redis.sock');
  port = 0;
  #server: ChildProcess | undefined;

  /** Starts with TLS and an append-only file, so that it survives `kill`. */
  static async start(): Promise<TestRedis> {
    const redis = new TestRedis();
    redis.port = await freePort();
    const subject = ['-subj', '/CN=pipeline-monitor', '-addext', 'subjectAltName=DNS:pipeline-monitor'];
    const key = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      redis.#file('key.pem'),
    ];
    const made = spawnSync('openssl', [
      'req',
      '-x509',
      '-days',
      '2',
      ...key,
      '-out',
      redis.#file('cert.pem'),
      ...subject,
    ]);
    if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
    writeFileSync(redis.#file('users.acl'), 'user default on nopass ~* &* +@all\n');
    await redis.resume();
    return redis;
  }

  /** Starts it again after `kill`, with its data. */
  async resume(): Promise<void> {
    const options: Readonly<Record<string, string>> = {
      port: '0',
      'tls-port': String(this.port),
      bind: '127.0.0.1',
      'tls-cert-file': this.#file('cert.pem'),
      'tls-key-file': this.#file('key.pem'),
      'tls-auth-clients': 'no',
      aclfile: this.#file('users.acl'),
      unixsocket: this.socket,
      dir: this.directory,
      appendonly: 'yes',
      appendfsync: 'always',
      'maxmemory-policy': 'noeviction',
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    this.#server = spawnMortal('redis-server', [...args, '--save', ''], { stdio: 'ignore' });
    for (let attempt = 0; attempt < 100; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (
        await this.admin('PING').then(
          (reply) => reply === 'PONG',
          () => false,
        )
      )
        return;
    }
    throw new Error('redis-server does not answer');
  }

  /** Pulls its plug. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** The address for a user, over TLS. */
  address(user: string, password: string): RedisAddress {
    const ca = readFileSync(this.#file('cert.pem'), 'utf8');
    return {
      host: '127.0.0.1',
      port: this.port,
      tls: { ca, servername: 'pipeline-monitor' },
      user,
      password,
    };
  }

  /** Makes the user of an agent, who can append to the inbox of one host and do nothing else. */
  async addAgent(host: string, password: string): Promise<RedisAddress> {
    const rules = [
      'on',
      'resetpass',
      `>${password}`,
      'resetkeys',
      'resetchannels',
      '-@all',
      '+xadd',
      `%W~in:${host}:*`,
    ];
    await this.admin('ACL', 'SETUSER', `agent-${host}`, ...rules);
    await this.admin('ACL', 'SAVE');
    return this.address(`agent-${host}`, password);
  }

  /** One command as the administrator. */
  async admin(...command: string[]) {
    const connection = await RedisConnection.open({ host: '', port: 0, path: this.socket });
    try {
      return await connection.command(...command);
    } finally {
      connection.close();
    }
  }

  /** Entries of a stream, as fields. */
  async entries(stream: string): Promise<Record<string, string>[]> {
    const reply = (await this.admin('XRANGE', stream, '-', '+')) as [string, string[]][];
    return reply.map(([, parts]) => {
      const fields: Record<string, string> = {};
      for (let i = 0; i < parts.length; i += 2) fields[parts[i] ?? ''] = parts[i + 1] ?? '';
      return fields;
    });
  }

  #file(name: string): string {
    return join(this.directory, name);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
