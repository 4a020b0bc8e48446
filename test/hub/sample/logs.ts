/** Agents of the sample fleet that answer questions about logs. */
import { answerKey, type LogsAnswered, type LogsAsked, questionsKey } from '../../../src/contract/logs.ts';
import { type Redis, redisClient } from '../../../src/hub/store/redis.ts';
import { isAtLeast } from '../../../src/logs/level.ts';
import type { SampleFleet } from './fleet.ts';

type Line = LogsAnswered['lines'][number];

const KINDS: readonly Pick<Line, 'level' | 'message' | 'fields'>[] = [
  { level: 'info', message: 'order paid', fields: { order: '4711', took: '31' } },
  { level: 'info', message: 'version one listens on 21000', fields: {} },
  { level: 'debug', message: 'cache miss', fields: { key: 'survey:12' } },
  { level: 'warning', message: 'the payment service is slow', fields: { ms: '2210' } },
  { level: 'info', message: 'GET /api/study/load/12 200', fields: {} },
  {
    level: 'error',
    message:
      'TypeError: surveys is not iterable\n    at load (/srv/app/server.js:12:5)\n    at next (server.js:3)',
    fields: {},
  },
];

/** One line a few seconds, as long as the range. */
function linesOf(host: string, asked: LogsAsked): readonly Line[] {
  const step = Math.max(1_000, (asked.to - asked.from) / 400);
  const all = Array.from({ length: 400 }, (_, index): Line | undefined => {
    const at = asked.from + index * step;
    // Errors come in a burst.
    const burst = index > 250 && index < 280;
    const kind = KINDS[burst ? 3 + (index % 3) : (index * 7 + host.length) % 5];
    return at > asked.to || kind === undefined
      ? undefined
      : { ...kind, at, source: 'blue', isRequest: false, release: asked.release ?? '', isCut: index === 300 };
  });
  return all.filter(
    (line): line is Line =>
      line !== undefined &&
      (asked.level === undefined || isAtLeast(line.level, asked.level)) &&
      (asked.text === undefined || line.message.toLowerCase().includes(asked.text.toLowerCase())),
  );
}

/** Answers until the signal. The last host of the fleet has an agent that is too old to answer. */
export async function answerSamples(socket: string, fleet: SampleFleet, signal: AbortSignal): Promise<void> {
  const redis: Redis = redisClient({ socket }, () => {});
  await redis.connect();
  const hosts = fleet.hosts.slice(0, -1);
  while (!signal.aborted) {
    const taken = await redis.blPop(hosts.map(questionsKey), 0.5);
    if (taken === null) continue;
    const host = hosts.find((one) => questionsKey(one) === taken.key) ?? '';
    const asked = JSON.parse(taken.element) as LogsAsked;
    const answer: LogsAnswered = { lines: linesOf(host, asked), more: '', trouble: '' };
    await redis.set(answerKey(host, asked.id), JSON.stringify(answer), { EX: 30 });
  }
  redis.destroy();
}
