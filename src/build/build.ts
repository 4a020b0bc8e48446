/** From a git ref to an artifact, cached by commit. */
import type { Config } from '../config/schema.ts';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { Artifact } from './artifact.ts';

export interface BuildOptions {
  /** Build again although the cache has it. */
  readonly fresh?: boolean | undefined;
}

/**
 * The artifact of an application at a ref: from the cache, or built.
 * @param ref branch, tag or commit; absent: `ref:` of the definition, else the repository's default branch.
 * @throws Failure kind `usage` for an unknown application, source or ref, or a ref that cannot be built as it is (no lock file); kind `host` with
 *   the last lines of its output where the build fails.
 */
export async function buildArtifact(
  _config: Config,
  app: string,
  _ref: string | undefined,
  _context: Context,
  _options: BuildOptions = {},
): Promise<Artifact> {
  throw new Failure('internal', `building ${app} is being written`);
}
