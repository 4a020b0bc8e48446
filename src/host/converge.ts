/** A host becomes what it should be: facts, plan, apply, and facts again, which must agree. */

import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { Connection } from '../ssh/connection.ts';
import { quote } from '../ssh/quote.ts';
import { type ApplyOptions, apply } from './apply.ts';
import type { Change, Theirs } from './change.ts';
import { gatherFacts } from './facts.ts';
import { plan } from './plan.ts';
import type { Resource } from './resource.ts';
import type { Facts } from './state.ts';
import { type Agreed, requireAgreed } from './theirs.ts';

export interface Converged {
  /** What was changed; with `dryRun` what would be. Empty: nothing to do. */
  readonly changes: readonly Change[];
  /** What somebody else has there, as far as the changes concern it. */
  readonly theirs: readonly Theirs[];
  /** As gathered before the changes. */
  readonly facts: Facts;
  readonly seconds: number;
}

export interface ConvergeOptions extends ApplyOptions {
  /** Say what would change, and touch nothing. */
  readonly dryRun?: boolean;
  /** What somebody else has there and may go. Absent: nothing. */
  readonly agreed?: Agreed | undefined;
}

/**
 * Makes the host what `resources` say. Where nothing is to do this is one round trip.
 * @throws Failure kind `host` where a step fails, or where the host is not what it should be afterwards; kind
 * `usage` where something of somebody else's would be lost that is not in `agreed`: nothing was touched then.
 */
export async function converge(
  connection: Connection,
  resources: readonly Resource[],
  context: Context,
  options: ConvergeOptions = {},
): Promise<Converged> {
  const started = context.now().getTime();
  const facts = await gatherFacts(connection, resources, context);
  const lookedMs = context.now().getTime() - started;
  const planned = plan(facts, resources);
  if (planned.changes.length > 0 && !options.dryRun) {
    requireAgreed(connection.target.name, planned.theirs, options.agreed);
    await apply(connection, planned, context, { lookedMs, ...options });
    const left = plan(await gatherFacts(connection, resources, context), resources);
    if (left.changes.length > 0) throw await unequal(connection, left.changes, context);
  }
  const { changes, theirs } = planned;
  return { changes, theirs, facts, seconds: (context.now().getTime() - started) / 1000 };
}

/**
 * Every step succeeded, and yet the host is not what it should be: a service that ended after its start, a
 * guard that never holds, …
 */
async function unequal(connection: Connection, left: readonly Change[], context: Context): Promise<Failure> {
  const host = connection.target.name;
  const [first] = left;
  const list = left.map(
    ({ id, action, reason }) => `${action} ${id}${reason === undefined ? '' : ` (${reason})`}`,
  );
  const unit = /^service (.*)$/.exec(first?.id ?? '')?.[1];
  const journal = unit === undefined ? [] : await lastWords(connection, unit, context);
  const things = left.length === 1 ? 'one thing is' : `${left.length} things are`;
  return new Failure(
    'host',
    `${host}: every step succeeded, but afterwards ${things} still not as it should be: ${list[0]}`,
    {
      host,
      step: first?.id,
      output: [...list.slice(1), ...(first?.diff ?? []), ...journal],
      next:
        unit === undefined
          ? 'Something on the host changes it back, or a guard never holds: look at it there, then run the ' +
            'command again.'
          : 'It was started and did not stay so. Its journal: ' +
            `pipeline prod ssh ${host} -- journalctl -u ${unit}`,
    },
  );
}

async function lastWords(connection: Connection, unit: string, context: Context): Promise<string[]> {
  const command = `journalctl --quiet --no-pager --output=cat --lines=12 --unit=${quote(unit)}`;
  const options = { label: `journal of ${unit}`, signal: context.signal };
  return (await connection.check(command, options)).trimEnd().split('\n');
}
