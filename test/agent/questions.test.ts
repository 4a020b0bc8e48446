/** What an agent answers to questions about logs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linesBackwards } from '../../src/agent/questions/backwards.ts';
import { unitsToRead } from '../../src/agent/questions/declared.ts';
import { answerQuestions } from '../../src/agent/questions/questions.ts';
import {
  answerKey,
  type LogsAnswered,
  type LogsAsked,
  questionsKey,
  readLogsAsked,
} from '../../src/contract/logs.ts';
import { LogReader, pageOf } from '../../src/hub/logs/ask.ts';
import { type Redis, redisClient } from '../../src/hub/store/redis.ts';
import { redisUnavailable, TestRedis } from './redis-server.ts';

const nothing = { app: undefined, text: undefined, level: undefined, release: undefined };
const asked = { ...nothing, from: 1_000, to: 2_000, requests: 'no', lines: 10 } as const;
const line = (at: number, message: string): LogsAnswered['lines'][number] => ({
  ...{ at, message, source: 'blue', isRequest: false, level: 'info', release: '', fields: {}, isCut: false },
});

describe('units that are declared', () => {
  it('are read, and no others', () => {
    const declared = ['nginx.service', 'pipeline-shop@*.service'];
    expect(unitsToRead({ app: 'shop' }, declared)).toEqual(['pipeline-shop@*.service']);
    expect(unitsToRead({ app: 'other' }, declared)).toBeUndefined();
    expect(unitsToRead({ app: undefined }, declared)).toEqual(declared);
    expect(unitsToRead({ app: undefined }, [])).toBeUndefined();
    expect(unitsToRead({ app: 'shop' }, ['*.service'])).toEqual(['pipeline-shop@*.service']);
  });
});

describe('a question', () => {
  it('is checked: names that are none, too many lines, other fields', () => {
    const problems = (change: Readonly<Record<string, unknown>>) => {
      const found: string[] = [];
      readLogsAsked({ ...asked, id: 'abcdefgh', ...change }, (problem) => found.push(problem));
      return found.length;
    };
    expect(problems({})).toBe(0);
    for (const change of [
      { app: '../x' },
      { app: '*' },
      { lines: 9_999 },
      { id: 'a b' },
      { unit: 'x' },
      { text: '' },
    ])
      expect([change, problems(change)]).toEqual([change, 1]);
  });
});

describe('a file from its end', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-backwards-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'log');

  it('gives its lines, the last first, over pieces, without those that are too long', () => {
    expect([...linesBackwards(file, 1e6)]).toEqual([]);
    const lines = Array.from({ length: 30_000 }, (_, index) => `línea ${index}`);
    writeFileSync(file, `${lines.join('\n')}\n`);
    expect([...linesBackwards(file, 1e9)]).toEqual(lines.toReversed());
    expect([...linesBackwards(file, 1_000)].length).toBeLessThan(100);
    writeFileSync(file, `a\n${'x'.repeat(300_000)}\nb\nno end`);
    expect([...linesBackwards(file, 1e9)].filter((text) => text.length < 100)).toEqual(['no end', 'b', 'a']);
  });
});

describe('answers of several hosts', () => {
  const answer = (lines: LogsAnswered['lines'], more: LogsAnswered['more'] = '') => ({
    lines,
    more,
    trouble: '',
  });
  it('are one page, in order, as far back as all of them tell', () => {
    const page = pageOf([
      { host: 'a', answer: answer([line(5, 'a5'), line(9, 'a9')], 'lines') },
      { host: 'b', answer: answer([line(1, 'b1'), line(7, 'b7')]) },
      { host: 'c', answer: undefined },
    ]);
    expect(page.lines.map(({ host, message }) => `${host} ${message}`)).toEqual(['a a5', 'b b7', 'a a9']);
    expect(page.more).toBe(true);
    expect(page.troubles).toMatchObject([{ host: 'c', why: expect.stringContaining('does not answer') }]);
  });
});

const missing = redisUnavailable();
if (missing !== undefined) process.stderr.write(`test/agent/questions.test.ts skipped: ${missing}\n`);

describe.skipIf(missing !== undefined)('a hub and an agent', () => {
  let server: TestRedis;
  let redis: Redis;
  const stop = new AbortController();
  const said: string[] = [];
  const seen: LogsAsked[] = [];
  let agent: Promise<void>;

  beforeAll(async () => {
    server = await TestRedis.start();
    redis = redisClient({ socket: server.socket }, () => {});
    await redis.connect();
    agent = answerQuestions({
      host: 'web',
      redis: server.address('default', ''),
      answer: async (question) => {
        seen.push(question);
        if (question.text === 'boom') throw new Error('the journal is gone');
        return { lines: [line(1_500, 'hello')], more: '', trouble: '' };
      },
      log: (text) => said.push(text),
      signal: stop.signal,
      againMs: 100,
    });
  });
  afterAll(async () => {
    stop.abort();
    await agent;
    redis?.destroy();
    await server?.remove();
  });

  it('talk over Redis; the same question at the same time is asked once', async () => {
    const reader = new LogReader(redis);
    const wanted = { hosts: ['web'], asked };
    const [one, two] = await Promise.all([reader.read('k', wanted), reader.read('k', wanted)]);
    expect(one).toMatchObject({ lines: [{ host: 'web', message: 'hello' }], more: false, troubles: [] });
    expect(two).toBe(one);
    expect(seen).toHaveLength(1);
    expect(await redis.keys('answer:*')).toEqual([]);
  });

  it('say what is wrong, and go on: an error, another version, an answer that is none', async () => {
    const reader = new LogReader(redis);
    const failed = await reader.read('e', { hosts: ['web'], asked: { ...asked, text: 'boom' } });
    expect(failed?.troubles).toEqual([{ host: 'web', why: 'they cannot be read: the journal is gone' }]);
    await redis.rPush(questionsKey('web'), '{"id":"12345678"}');
    await redis.rPush(questionsKey('web'), 'no JSON');
    expect((await reader.read('again', { hosts: ['web'], asked }))?.lines).toHaveLength(1);
    expect(said.filter((text) => text.includes('another version'))).toHaveLength(2);
    const asking = reader.read('other', { hosts: ['db'], asked });
    await expect.poll(() => redis.lLen(questionsKey('db'))).toBe(1);
    const question = JSON.parse((await redis.lPop(questionsKey('db'))) ?? '{}') as LogsAsked;
    await redis.set(answerKey('db', question.id), '{"lines":[{"at":"<script>"}]}');
    expect((await asking)?.troubles).toEqual([{ host: 'db', why: 'its answer cannot be read' }]);
  });

  it('do not wait for an agent that does not answer for longer than its time', async () => {
    const clock = { now: Date.now() };
    const reader = new LogReader(redis, () => clock.now);
    const asking = reader.read('silent', { hosts: ['silent'], asked });
    await sleep(100);
    clock.now += 60_000;
    expect((await asking)?.troubles[0]?.host).toBe('silent');
    expect(await redis.ttl(questionsKey('silent'))).toBeLessThanOrEqual(15);
  });
});
