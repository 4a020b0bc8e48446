/** From an artifact to a live version. */
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { DeployRequest, DeployResult } from './types.ts';

/**
 * Puts the artifact into service on every host, one host after the other; no request is dropped. The caller holds the lock (`withLock`). May be
 * killed at any moment: the same call again finishes the work.
 * @throws Failure kind `host` where the new version does not start, is not healthy, or fails in its probation: the old one serves on, on every
 *   host, and `output` holds the new version's own last log lines. Kind `usage` for what the definition lacks (a secret, a certificate).
 */
export async function deploy(request: DeployRequest, _context: Context): Promise<DeployResult> {
  throw new Failure('internal', `deploying ${request.app} is being written`);
}
