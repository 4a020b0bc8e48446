/**
 * `agent.js probe`: waits until a service is healthy so many times in a row, or answers and does not become
 * so. Gives up when the time is over, or when systemd had to start it again and again. Then asks the
 * requests.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbeAnswer, ProbeRequest, ProbeWish } from '../contract/probe.ts';
import { duration } from '../format.ts';
import { type Ask, type HttpAnswer, judgeAnswer, requestOnce } from './collectors/checks.ts';

/** Milliseconds in which a service that answers may become healthy. */
const BECOMING_HEALTHY_MS = 1_500;
const REQUEST_MS = 10_000;
const AFTER_GOOD_MS = 50;
const AFTER_BAD_MS = 200;
/** A process that ended so often will not start. */
const HOPELESS_RESTARTS = 3;

/** What the probe stands on. */
export interface ProbeGround {
  /** Rejects where there is no answer within `ms`. */
  readonly ask: (ask: Ask, ms: number) => Promise<HttpAnswer>;
  /** How often systemd started the unit again. */
  readonly restarts: (unit: string) => Promise<number>;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

export async function probe(wish: ProbeWish, ground: ProbeGround = REAL): Promise<ProbeAnswer> {
  const { requests } = wish;
  const at = wish.site === undefined ? ownAddress(wish) : `127.0.0.1:${wish.site}`;
  const state = await becomeHealthy(wish, ground);
  const statuses: number[] = [];
  for (const request of state.answers ? requests : []) {
    const answer = await ground.ask(askOf(at, request), REQUEST_MS).catch(() => undefined);
    statuses.push(answer?.status ?? 0);
  }
  return { ...state, statuses };
}

async function becomeHealthy(
  wish: ProbeWish,
  { ask, restarts, now, sleep: wait }: ProbeGround,
): Promise<Omit<ProbeAnswer, 'statuses'>> {
  const { unit, health } = wish;
  const { method, path, headers, status, contains } = health;
  const body = health.body === undefined ? null : Buffer.from(health.body).toString('base64');
  const check = askOf(ownAddress(wish), { method, path, headers, body });
  const wanted = {
    name: unit,
    contains,
    ...(status === undefined ? { below: 500 } : { status: [status].flat() }),
  };
  const end = now() + health.within;
  let [good, last] = [0, ''];
  let answeredAt: number | undefined;
  while (good < health.consecutive && now() < end) {
    const answer = await ask(check, health.timeout).catch((error: Error) => error);
    const isAnswer = !(answer instanceof Error);
    const trouble = isAnswer ? judgeAnswer(wanted, answer) : answer.message;
    const isWithout = isAnswer && contains !== undefined && !answer.body.includes(contains);
    last =
      `${method} ${path} → ${isAnswer ? answer.status : answer.message}` +
      `${isWithout ? `, without "${contains}"` : ''}`;
    good = trouble === '' ? good + 1 : 0;
    answeredAt = isAnswer ? (answeredAt ?? now()) : undefined;
    const patientUntil = (answeredAt ?? now()) + BECOMING_HEALTHY_MS;
    if (trouble !== '' && now() + AFTER_BAD_MS > patientUntil) break;
    if (!isAnswer && (await restarts(unit)) >= HOPELESS_RESTARTS) break;
    if (good < health.consecutive) await wait(trouble === '' ? AFTER_GOOD_MS : AFTER_BAD_MS);
  }
  const healthy = good >= health.consecutive;
  return { answers: healthy || answeredAt !== undefined, healthy, last };
}

function ownAddress({ address = '127.0.0.1', port }: ProbeWish): string {
  return `${address}:${port}`;
}

function askOf(at: string, { method, path, headers, body }: ProbeRequest): Ask {
  return {
    url: `http://${at}${path}`,
    method,
    headers,
    body: body === null ? undefined : Buffer.from(body, 'base64'),
  };
}

const REAL: ProbeGround = {
  ask: (ask, ms) => {
    const limit = AbortSignal.timeout(ms);
    return requestOnce(ask, limit).catch((error: unknown) => {
      throw limit.aborted ? new Error(`no answer within ${duration(ms)}`) : error;
    });
  },
  restarts: async (unit) => {
    const { execFileSync } = await import('node:child_process');
    const shown = execFileSync('systemctl', ['show', '--property', 'NRestarts', '--value', unit]);
    return Number(shown.toString());
  },
  now: () => Date.now(),
  sleep: (ms) => sleep(ms),
};
