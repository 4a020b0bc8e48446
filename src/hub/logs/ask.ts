/** Asks agents for logs and waits for what they answer. Nothing of it is kept. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import {
  answerKey,
  type LogsAnswered,
  type LogsAsked,
  MOST_MS,
  QUESTION_SECONDS,
  questionsKey,
} from '../../contract/logs.ts';
import { LEVELS } from '../../logs/level.ts';
import type { LogPage } from '../api-types.ts';
import type { Redis } from '../store/redis.ts';

/** What agents answer is checked: a host may be in strange hands. */
const answered = z.object({
  lines: z
    .array(
      z.object({
        at: z.number(),
        source: z.string().max(300),
        isRequest: z.boolean(),
        level: z.enum(LEVELS),
        release: z.string().max(200),
        message: z.string().max(20_000),
        fields: z.record(z.string().max(200), z.string().max(20_000)),
        isCut: z.boolean(),
      }),
    )
    .max(2_000),
  more: z.enum(['', 'lines', 'size', 'time']),
  trouble: z.string().max(500),
});

const LOOK_EVERY_MS = 50;
/** Beyond what the agent itself takes at most. */
const PATIENCE_MS = MOST_MS + 2_000;
/** The same question within this time has the same answer, however many people look. */
const SAME_MS = 2_000;
/** Questions that are under way at once: each keeps every asked host busy. */
const MOST_AT_ONCE = 8;
/** Lines of all hosts together. */
const MOST_SHOWN = 2_000;

export type Asking = Omit<LogsAsked, 'id'>;

/** Hosts to ask, and what. */
export interface LogsWanted {
  readonly hosts: readonly string[];
  readonly asked: Asking;
}

export class LogReader {
  readonly #redis: Redis;
  readonly #now: () => number;
  readonly #recent = new Map<string, { readonly at: number; readonly page: Promise<LogPage> }>();
  #underWay = 0;

  constructor(redis: Redis, now: () => number = Date.now) {
    this.#redis = redis;
    this.#now = now;
  }

  /**
   * @param key names the question: the same key within two seconds gives the same answer
   * @returns undefined: too many are under way
   */
  read(key: string, wanted: LogsWanted): Promise<LogPage> | undefined {
    const now = this.#now();
    for (const [old, { at }] of this.#recent) if (at < now - SAME_MS) this.#recent.delete(old);
    const known = this.#recent.get(key);
    if (known !== undefined) return known.page;
    if (this.#underWay >= MOST_AT_ONCE) return undefined;
    this.#underWay++;
    const page = this.#read(wanted).finally(() => {
      this.#underWay--;
    });
    page.catch(() => this.#recent.delete(key));
    this.#recent.set(key, { at: now, page });
    return page;
  }

  async #read({ hosts, asked }: LogsWanted): Promise<LogPage> {
    const answers = await Promise.all(
      hosts.map(async (host) => ({ host, answer: await this.#ask(host, asked) })),
    );
    return pageOf(answers);
  }

  async #ask(host: string, asked: Asking): Promise<LogsAnswered | undefined> {
    const id = randomBytes(12).toString('hex');
    const key = questionsKey(host);
    await this.#redis
      .multi()
      .rPush(key, JSON.stringify({ ...asked, id }))
      // Questions that pile up are nobody's any more.
      .lTrim(key, -20, -1)
      .expire(key, QUESTION_SECONDS)
      .exec();
    const end = this.#now() + PATIENCE_MS;
    while (this.#now() < end) {
      const text = await this.#redis.getDel(answerKey(host, id));
      if (text !== null) return readAnswer(text);
      await sleep(LOOK_EVERY_MS);
    }
    return undefined;
  }
}

function readAnswer(text: string): LogsAnswered {
  try {
    const parsed = answered.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
  } catch {
    // Said below: what is not JSON is as wrong as what has another form.
  }
  return { lines: [], more: '', trouble: 'its answer cannot be read' };
}

/** Answers of several hosts as one page: the latest lines of all that every host has told in full. Pure. */
export function pageOf(
  answers: readonly { readonly host: string; readonly answer: LogsAnswered | undefined }[],
): LogPage {
  const all = answers.flatMap(({ host, answer }) => (answer?.lines ?? []).map((line) => ({ ...line, host })));
  // Before the oldest line of a host that has more, what the others had would stand without its.
  const from = Math.max(
    0,
    ...answers.flatMap(({ answer }) =>
      answer !== undefined && answer.more !== '' ? (answer.lines[0]?.at ?? []) : [],
    ),
  );
  const lines = all.filter(({ at }) => at >= from).sort((a, b) => a.at - b.at);
  const more = answers.some(({ answer }) => answer !== undefined && answer.more !== '');
  return {
    lines: lines.slice(-MOST_SHOWN),
    more: more || lines.length > MOST_SHOWN,
    tookTooLong: answers.some(({ answer }) => answer?.more === 'time'),
    troubles: answers.flatMap(({ host, answer }) => {
      if (answer === undefined)
        return [{ host, why: 'its agent does not answer; an older one learns to by pipeline monitor setup' }];
      return answer.trouble === '' ? [] : [{ host, why: answer.trouble }];
    }),
  };
}
