import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseReply, type RedisAddress, RedisConnection, RedisError } from '../../src/agent/sender/resp.ts';
import { Sender, type SenderOptions } from '../../src/agent/sender/sender.ts';
import { parseSample } from '../../src/metrics/wire.ts';
import { window } from '../metrics/windows.ts';
import { redisUnavailable, TestRedis } from './redis-server.ts';
import { until } from './support.ts';

const reason = redisUnavailable();
if (reason !== undefined) process.stderr.write(`test/agent/sender.test.ts skipped: ${reason}\n`);

describe('replies of Redis', () => {
  it.each([
    ['+OK\r\n', 'OK', 5],
    [':42\r\n', 42, 5],
    ['$-1\r\n', null, 5],
    ['$3\r\na\rb\r\n', 'a\rb', 9],
    ['*2\r\n$1\r\na\r\n*1\r\n:1\r\n', ['a', [1]], 19],
    ['*-1\r\n', null, 5],
  ])('%j', (text, value, end) => {
    const buffer = Buffer.from(text);
    expect(parseReply(buffer, 0)).toEqual({ value, end });
    for (let length = 0; length < buffer.length; length++)
      expect(parseReply(buffer.subarray(0, length), 0)).toBeUndefined();
  });

  it('may be errors', () => {
    const error = parseReply(Buffer.from('-NOPERM no\r\n'), 0)?.value;
    expect(error).toBeInstanceOf(RedisError);
    expect(error).toMatchObject({ code: 'NOPERM' });
  });

  it('of something else are refused', () => {
    expect(() => parseReply(Buffer.from('HTTP/1.1 400 Bad Request\r\n'), 0)).toThrow(/not Redis/);
  });
});

describe.skipIf(reason !== undefined)('samples on their way', () => {
  let redis: TestRedis;
  let address: RedisAddress;
  const open: Sender[] = [];
  const log: string[] = [];

  beforeAll(async () => {
    redis = await TestRedis.start();
    address = await redis.addAgent('checkbox', 'secret-of-checkbox');
  });
  afterEach(async () => {
    for (const sender of open.splice(0)) await sender.close(0);
    log.length = 0;
    await redis.admin('DEL', 'in:checkbox:samples');
  });
  afterAll(() => redis?.remove());

  function start(options: Partial<SenderOptions> = {}): Sender {
    const sender = new Sender({
      redis: address,
      stream: 'in:checkbox:samples',
      instance: 'test',
      maxBufferBytes: 1e6,
      maxInboxLength: 1000,
      log: (line) => log.push(line),
      delays: { first: 20, longest: 100, refused: 50 },
      ...options,
    });
    open.push(sender);
    sender.start();
    return sender;
  }

  const push = (sender: Sender, count: number) => {
    for (let i = 0; i < count; i++) sender.push(window({ at: Date.now() }));
  };

  /** Numbers of the samples in the inbox, all of them valid. */
  async function arrived(): Promise<number[]> {
    return (await redis.entries('in:checkbox:samples')).map((fields) => {
      const parsed = parseSample(fields, 'checkbox');
      if (!parsed.ok) throw new Error(parsed.reason);
      return parsed.value.sequence;
    });
  }

  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
  const idle = (sender: Sender) => until('an empty buffer', () => (sender.buffered === 0 ? true : undefined));

  it('arrive in order, by a user who may do nothing else', async () => {
    const sender = start();
    push(sender, 20);
    await idle(sender);
    expect(await arrived()).toEqual(numbers(20));
    expect(log).toEqual([]);
  });

  it.each([
    [['XADD', 'in:itrust:samples', '*', 'a', 'b']],
    [['XRANGE', 'in:checkbox:samples', '-', '+']],
    [['DEL', 'in:checkbox:samples']],
    [['KEYS', '*']],
    [['CONFIG', 'GET', '*']],
  ])('may not be sent elsewhere, nor anything else be done: %j', async (command) => {
    const connection = await RedisConnection.open(address);
    await expect(connection.command(...command)).rejects.toMatchObject({ code: 'NOPERM' });
    connection.close();
  });

  it('are kept while Redis is away, and arrive later, each once; both is said', async () => {
    const sender = start();
    push(sender, 3);
    await idle(sender);
    await redis.kill();
    push(sender, 40);
    await until('the trouble', () => log.find((line) => /ECONNREFUSED|closed|ECONNRESET/.test(line)));
    push(sender, 10);
    await redis.resume();
    await idle(sender);
    expect(await arrived()).toEqual(numbers(53));
    expect(log.at(-1)).toMatch(/answers again after \d+ s/);
    expect(log.filter((line) => line.includes('Samples are kept')).length).toBeLessThanOrEqual(2);
  });

  it('are dropped from the oldest where the buffer is full, and counted', async () => {
    await redis.kill();
    const sender = start({ maxBufferBytes: 20_000 });
    push(sender, 500);
    const kept = sender.buffered;
    expect(kept).toBeGreaterThan(10);
    expect(kept).toBeLessThan(500);
    expect(sender.takeDropped()).toBe(500 - kept);
    expect(sender.takeDropped()).toBe(0);
    await redis.resume();
    await idle(sender);
    expect(await arrived()).toEqual(numbers(500).slice(-kept));
  });

  it('wait for credentials that are right; the password is never shown', async () => {
    await redis.addAgent('checkbox', 'another');
    const sender = start();
    push(sender, 2);
    await until('the refusal', () => log.find((line) => line.includes('agent-checkbox: WRONGPASS')));
    expect(log.join()).not.toContain('secret-of');
    await redis.addAgent('checkbox', 'secret-of-checkbox');
    await idle(sender);
    expect(await arrived()).toEqual([0, 1]);
  });

  it('wait where the user was revoked in the middle', async () => {
    const sender = start();
    push(sender, 1);
    await idle(sender);
    await redis.admin('ACL', 'DELUSER', 'agent-checkbox');
    push(sender, 1);
    await until('the refusal', () => log.find((line) => line.includes('WRONGPASS')));
    await redis.addAgent('checkbox', 'secret-of-checkbox');
    await idle(sender);
    expect(await arrived()).toEqual([0, 1]);
  });

  it('wait where Redis is full', async () => {
    await redis.admin('CONFIG', 'SET', 'maxmemory', '1');
    const sender = start();
    push(sender, 2);
    await until('the trouble', () => log.find((line) => line.includes('OOM')));
    await redis.admin('CONFIG', 'SET', 'maxmemory', '0');
    await idle(sender);
    expect(await arrived()).toEqual([0, 1]);
  });

  it('go to nobody whose certificate is not the one that was given', async () => {
    const { ca: _, ...without } = address.tls ?? {};
    const sender = start({ redis: { ...address, tls: without } });
    push(sender, 1);
    await until('the refusal', () => log.find((line) => /self.signed/.test(line)));
    expect(await arrived()).toEqual([]);
  });

  it('do not fill the inbox without end while no hub empties it', async () => {
    const sender = start({ maxInboxLength: 100 });
    push(sender, 700);
    await idle(sender);
    // Redis trims whole nodes of up to 100 entries.
    expect((await arrived()).length).toBeLessThan(250);
  });

  it('are still sent when the agent stops', async () => {
    const sender = start();
    push(sender, 30);
    await until('a connection', () => (sender.buffered < 30 ? true : undefined));
    expect(await sender.close(2000)).toBe(0);
    expect(await arrived()).toEqual(numbers(30));
  });

  it('are given up when the agent stops and nobody answers', async () => {
    await redis.kill();
    const sender = start();
    push(sender, 3);
    const started = Date.now();
    expect(await sender.close(300)).toBe(3);
    expect(Date.now() - started).toBeLessThan(1000);
    await redis.resume();
  });
});
