/** What was deployed when, by whom, with what result: read from the hosts. */
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { Connection } from '../ssh/connection.ts';
import type { AppOnHosts, AppStatus, ReleaseRecord } from './types.ts';

/** All releases of an application that its hosts know of, the newest first. */
export async function releases(request: AppOnHosts, _context: Context): Promise<readonly ReleaseRecord[]> {
  throw new Failure('internal', `listing releases of ${request.app} is being written`);
}

/** Every application on one host: what is live and whether it is healthy. One round trip; touches nothing. */
export async function appStatus(connection: Connection, _context: Context): Promise<readonly AppStatus[]> {
  throw new Failure('internal', `asking ${connection.target.name} is being written`);
}
