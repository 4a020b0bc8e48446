/**
 * Asking a version on its own host: does it answer, is it healthy, and which paths does it know?
 *
 * A version that answers takes part, healthy or not: a candidate that fails its health check is to be judged
 * by what it does under load, beside a baseline that may fail it too.
 */
import * as z from 'zod';
import type { Context } from '../../context.ts';
import type { ProbeAnswer, ProbeWish } from '../../contract/probe.ts';
import { Failure } from '../../errors.ts';
import type { Connection } from '../../ssh/connection.ts';
import { quote } from '../../ssh/quote.ts';

const answerSchema: z.ZodType<ProbeAnswer> = z.object({
  answers: z.boolean(),
  healthy: z.boolean(),
  last: z.string(),
  statuses: z.array(z.int()),
});

/**
 * Asks.
 * @param agent the agent's command on the host: Node and the program
 * @throws Failure kind `host` where the host itself does not do what it should.
 */
export async function probe(
  connection: Connection,
  agent: string,
  wish: ProbeWish,
  context: Context,
): Promise<ProbeAnswer> {
  const text = await connection.check(`printf %s ${quote(JSON.stringify(wish))} | ${agent} probe`, {
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
