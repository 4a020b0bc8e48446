/** Back to an earlier release, from what is still on the hosts. */
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { DeployResult, RollbackRequest } from './types.ts';

/**
 * Puts an earlier release into service again, the same careful way as a deploy. The caller holds the lock.
 * @throws Failure kind `usage` where no such release is on every host (with those that are), else as `deploy`.
 */
export async function rollback(request: RollbackRequest, _context: Context): Promise<DeployResult> {
  throw new Failure('internal', `rolling ${request.app} back is being written`);
}
