/** What was made elsewhere and is handed over as a file: a WAR, or a program of any language. */
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { AppConfig } from '../config/schema.ts';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { Artifact } from './artifact.ts';
import { givenProgram } from './given-program.ts';
import { sha256 } from './pack.ts';
import { readWar } from './war.ts';

/**
 * The file as an artifact; git is not asked.
 * @throws Failure kind `usage` where it cannot be read, is damaged, or is not what the application needs.
 */
export async function givenArtifact(
  app: string,
  definition: AppConfig,
  ref: string | undefined,
  file: string,
  context: Context,
): Promise<Artifact> {
  if (ref !== undefined) {
    throw new Failure('usage', `A ref (${ref}) and --artifact cannot both be meant.`, {
      next: 'Leave one of them out.',
    });
  }
  const { runtime = 'tomcat' } = definition;
  if (runtime === 'command') return givenProgram(app, definition, file, context);
  if (runtime !== 'tomcat' || !file.endsWith('.war')) {
    throw new Failure(
      'usage',
      `--artifact takes a WAR for a Tomcat application, not ${basename(file)} for ${app}.`,
      {
        next:
          `Others are built from git: pipeline deploy ${app} [REF]. A program that is built already: ` +
          `runtime: command of ${app} in pipeline.yml.`,
      },
    );
  }
  const path = resolve(context.cwd, file);
  context.progress({ stage: 'build', state: 'started' });
  try {
    const servlet = await readWar(app, path);
    const hash = await sha256(path);
    context.progress({ stage: 'build', state: 'done', detail: `given (sha256 ${hash.slice(0, 8)}…)` });
    const name = basename(file);
    const none = { commit: null, architecture: null, node: null, start: null, directory: '' };
    const { size: bytes } = await stat(path);
    return {
      ...none,
      app,
      ref: name,
      subject: name,
      runtime,
      path,
      sha256: hash,
      bytes,
      cached: false,
      servlet,
      seconds: 0,
    };
  } catch (error) {
    context.progress({ stage: 'build', state: 'failed' });
    throw error;
  }
}
