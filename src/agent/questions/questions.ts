/** Waits for the hub's questions and answers them, over a connection of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ANSWER_SECONDS,
  answerKey,
  type LogsAnswered,
  type LogsAsked,
  questionsKey,
  readLogsAsked,
} from '../../contract/logs.ts';
import { type RedisAddress, RedisConnection, RedisError } from '../sender/resp.ts';

export interface QuestionOptions {
  readonly host: string;
  readonly redis: RedisAddress;
  readonly answer: (asked: LogsAsked) => Promise<LogsAnswered>;
  /** One sentence for the journal. */
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
  /** Milliseconds before a connection is tried again. */
  readonly againMs?: number | undefined;
}

/** Shorter than the silence after which a connection counts as dead. */
const BLOCK_SECONDS = 5;
const AGAIN_MS = 10_000;
/** A monitor that was set up before agents answered questions does not let them: seldom asked again. */
const REFUSED_MS = 300_000;

/** Answers one question after the other until the signal. What fails is tried again. */
export async function answerQuestions(options: QuestionOptions): Promise<void> {
  const { redis, signal, log, againMs = AGAIN_MS } = options;
  let said = '';
  while (!signal.aborted) {
    let wait = againMs;
    try {
      const connection = await RedisConnection.open(redis);
      const end = () => connection.close();
      signal.addEventListener('abort', end, { once: true });
      try {
        for (; !signal.aborted; said = '') await answerNext(connection, options);
      } finally {
        signal.removeEventListener('abort', end);
        connection.close();
      }
    } catch (error) {
      if (signal.aborted) return;
      const message = (error as Error).message;
      const isRefused = error instanceof RedisError && error.code === 'NOPERM';
      if (isRefused) wait = Math.max(againMs, REFUSED_MS);
      // The sender says that Redis is away.
      if (isRefused && said !== message)
        log('The monitor lets nobody ask this host for its logs: run "pipeline monitor setup" again.');
      said = message;
    }
    await sleep(wait, undefined, { signal }).catch(() => undefined);
  }
}

async function answerNext(
  connection: RedisConnection,
  { host, answer, log }: QuestionOptions,
): Promise<void> {
  const taken = await connection.command('BLPOP', questionsKey(host), String(BLOCK_SECONDS));
  const text = Array.isArray(taken) ? taken[1] : undefined;
  if (typeof text !== 'string') return;
  const asked = parse(text);
  if (asked === undefined) return log('A question of the monitor cannot be read: it has another version.');
  const answered = await answer(asked).catch((error: Error): LogsAnswered => {
    log(`Logs cannot be read: ${error.message}`);
    return { lines: [], more: '', trouble: `they cannot be read: ${error.message}` };
  });
  const json = JSON.stringify(answered);
  await connection.command('SET', answerKey(host, asked.id), json, 'EX', String(ANSWER_SECONDS));
}

function parse(text: string): LogsAsked | undefined {
  const problems: string[] = [];
  try {
    const asked = readLogsAsked(JSON.parse(text), (problem) => problems.push(problem));
    return problems.length === 0 ? asked : undefined;
  } catch {
    return undefined;
  }
}
