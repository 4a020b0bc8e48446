/**
 * Asking a version on its own host: does it answer, is it healthy, and which paths does it know?
 *
 * A version that answers takes part, healthy or not: a candidate that fails its health check is to be judged
 * by what it does under load, beside a baseline that may fail it too.
 */
import * as z from 'zod';
import type { HealthCheck } from '../../config/schema.ts';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import type { Connection } from '../../ssh/connection.ts';
import { quote } from '../../ssh/quote.ts';
import { UNIT } from './service.ts';

/** One request to the service's own port. */
export interface ProbeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Base64; null: none. */
  readonly body: string | null;
}

interface ProbeWish {
  readonly port: number;
  readonly health: HealthCheck & { readonly within: number };
  /** Asked once, when it is healthy. */
  readonly requests: readonly ProbeRequest[];
}

const answerSchema = z.object({
  /** It answers HTTP, whatever the answer is: an experiment can begin. */
  answers: z.boolean(),
  /** It also passes the health check of its definition. */
  healthy: z.boolean(),
  /** Of the last attempt, e.g. `GET / → 500`. */
  last: z.string(),
  /** Status of each request; 0: no answer. */
  statuses: z.array(z.int()),
});
export type ProbeAnswer = z.output<typeof answerSchema>;

/** Milliseconds in which a service that answers may become healthy. */
const BECOMING_HEALTHY_MS = 3_000;

/**
 * Runs on the host, by its Node: waits until the service is healthy so many times in a row, or answers and
 * does not become so. Gives up when the time is over or when systemd had to start it again and again. Then
 * asks the requests.
 */
const PROGRAM = `
const http = require('node:http');
const { execFileSync } = require('node:child_process');
const { port, health, requests, unit } = JSON.parse(process.argv[1]);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const ask = ({ method, path, headers, body }, timeout) => new Promise((resolve) => {
  const data = body === null ? null : Buffer.from(body, 'base64');
  const request = http.request({ host: '127.0.0.1', port, method, path, timeout,
    headers: { ...headers, ...(data === null ? {} : { 'content-length': data.length }) } }, (answer) => {
    const chunks = [];
    answer.on('data', (chunk) => chunks.push(chunk));
    answer.on('end', () => resolve({ status: answer.statusCode, text: Buffer.concat(chunks).toString() }));
    answer.on('error', (error) => resolve({ status: 0, text: error.message }));
  });
  request.on('timeout', () => request.destroy(new Error('no answer within ' + timeout + ' ms')));
  request.on('error', (error) => resolve({ status: 0, text: error.message }));
  request.end(data ?? undefined);
});
const restarts = () => Number(execFileSync('systemctl', ['show', '--property', 'NRestarts', '--value', unit]).toString());
(async () => {
  const end = Date.now() + health.within;
  const check = { method: health.method, path: health.path, headers: health.headers,
    body: health.body === undefined ? null : Buffer.from(health.body).toString('base64') };
  const accepted = health.status === undefined ? null : [].concat(health.status);
  let good = 0, last = '', answered = null;
  while (good < health.consecutive && Date.now() < end) {
    const { status, text } = await ask(check, health.timeout);
    const right = status > 0 && (accepted === null ? status < 500 : accepted.includes(status)) &&
      (health.contains === undefined || text.includes(health.contains));
    last = check.method + ' ' + check.path + ' → ' + (status === 0 ? text : status) +
      (status > 0 && !right && health.contains !== undefined && !text.includes(health.contains) ? ', without "' + health.contains + '"' : '');
    good = right ? good + 1 : 0;
    answered = status === 0 ? null : (answered ?? Date.now());
    if (!right && answered !== null && Date.now() - answered > ${BECOMING_HEALTHY_MS}) break;
    if (status === 0 && restarts() >= 3) break;
    if (good < health.consecutive) await sleep(right ? 50 : 200);
  }
  const healthy = good >= health.consecutive;
  const statuses = [];
  const answers = healthy || answered !== null;
  for (const request of answers ? requests : []) statuses.push((await ask(request, 10000)).status);
  console.log(JSON.stringify({ answers, healthy, last, statuses }));
})();
`;

/** Asks. @throws Failure kind `host` where the host itself does not do what it should. */
export async function probe(
  connection: Connection,
  node: string,
  wish: ProbeWish,
  context: Context,
): Promise<ProbeAnswer> {
  const argument = JSON.stringify({ ...wish, unit: UNIT });
  const text = await connection.check(`exec ${node} -e ${quote(PROGRAM)} ${quote(argument)}`, {
    label: 'wait for the service',
    timeoutMs: wish.health.within + wish.requests.length * 10_000 + 30_000,
    signal: context.signal,
  });
  try {
    return answerSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new Failure('internal', `${connection.target.name}: the probe's answer cannot be read.`, {
      host: connection.target.name,
      output: text.split('\n').slice(-5),
      cause: error,
    });
  }
}
