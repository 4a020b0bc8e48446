/** Which hosts can be reached now. One that cannot keeps no other from being set up. */
import { isIP } from 'node:net';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { Connection } from '../ssh/connection.ts';
import { quote } from '../ssh/quote.ts';

export interface Reached {
  readonly connection: Connection;
  /** Addresses by which the host reaches the monitor. */
  readonly addresses: readonly string[];
  /** Why it cannot be reached, or what went wrong there. */
  readonly failure?: Failure | undefined;
}

/** Opens every connection. @param monitor address of the monitor */
export function reach(
  monitor: string,
  connections: readonly Connection[],
  context: Context,
): Promise<readonly Reached[]> {
  const script = `address=$(getent ahosts ${quote(monitor)} | awk 'NR==1 {print $1}')
ip -o route get "$address" | sed -n 's/.* src \\([^ ]*\\).*/\\1/p'`;
  return Promise.all(
    connections.map(async (connection): Promise<Reached> => {
      const own = [connection.target.address];
      const ips = (addresses: readonly string[]) => addresses.filter((address) => isIP(address) !== 0);
      try {
        const options = { label: 'address towards the monitor', signal: context.signal };
        const text = await connection.check(script, options);
        return { connection, addresses: ips([text.trim(), ...own]) };
      } catch (thrown) {
        return { connection, addresses: ips(own), failure: hostFailure(thrown, context) };
      }
    }),
  );
}

/** What went wrong on one host, for the list at the end. Anything else is thrown on: the user's mistakes, ours, and Ctrl-C. */
export function hostFailure(thrown: unknown, { signal }: Pick<Context, 'signal'>): Failure {
  signal.throwIfAborted();
  if (thrown instanceof Failure && thrown.kind === 'host') return thrown;
  throw thrown;
}
