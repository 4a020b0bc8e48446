/** Which hosts can be reached now. One that cannot keeps no other from being set up. */
import { isIP } from 'node:net';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { type Connection, publicAddress } from '../ssh/connection.ts';
import { withValues } from '../ssh/script.ts';
import program from './own-address.sh' with { type: 'text' };

/** Exit code of a host that does not know the monitor's name. */
const NO_ADDRESS = 9;

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
  const script = withValues(program, { monitor, no_address: String(NO_ADDRESS) });
  return Promise.all(
    connections.map(async (connection): Promise<Reached> => {
      const own = [publicAddress(connection.target)];
      const ips = (addresses: readonly string[]) => addresses.filter((address) => isIP(address) !== 0);
      try {
        const options = { label: 'address towards the monitor', signal: context.signal };
        const { exitCode, stdout } = await connection.script(script, options);
        if (exitCode === NO_ADDRESS) throw unknownMonitor(connection.target.name, monitor);
        return { connection, addresses: ips([stdout.trim(), ...own]) };
      } catch (thrown) {
        return { connection, addresses: ips(own), failure: hostFailure(thrown, context) };
      }
    }),
  );
}

/** Its agent could never deliver a sample. */
function unknownMonitor(host: string, monitor: string): Failure {
  return new Failure('host', `${host}: the monitor's address ${monitor} means nothing there`, {
    host,
    step: 'address towards the monitor',
    next: "Set the monitor's ansible_host in the inventory to an address that every host reaches.",
  });
}

/**
 * What went wrong on one host, for the list at the end. Anything else is thrown on: the user's mistakes,
 * ours, and Ctrl-C.
 */
export function hostFailure(thrown: unknown, { signal }: Pick<Context, 'signal'>): Failure {
  signal.throwIfAborted();
  if (thrown instanceof Failure && thrown.kind === 'host') return thrown;
  throw thrown;
}
