/** One writer for each environment: a lock that lives on a host and dies with its holder. */
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { Connection } from '../ssh/connection.ts';

export interface LockOptions {
  /** What it is held for, e.g. `pipeline deploy checkbox.io`. */
  readonly command: string;
  /** Who holds it; default: see `whoami`. */
  readonly holder?: string | undefined;
  /** Wait for another holder instead of failing; milliseconds, `true` for as long as it takes. */
  readonly wait?: boolean | number | undefined;
}

/** Which host keeps an environment's lock: `monitor` where there is one, else the first. */
export function lockHost<H extends { readonly name: string }>(hosts: readonly H[]): H | undefined {
  return hosts.find(({ name }) => name === 'monitor') ?? hosts[0];
}

/**
 * Runs `work` while holding the environment's lock on that host. `work` is given a context whose signal is also aborted when the lock is lost
 * (the host went away), so that it stops before anybody else begins.
 * @throws Failure kind `locked` with holder, command and since when.
 */
export async function withLock<T>(
  connection: Connection,
  _options: LockOptions,
  _context: Context,
  _work: (context: Context) => Promise<T>,
): Promise<T> {
  throw new Failure('internal', `locking on ${connection.target.name} is being written`);
}
