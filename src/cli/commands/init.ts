/** `pipeline init`: writes an annotated pipeline.yml that fits the folder. Never overwrites one. */
import { writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { detectFolder } from '../../config/detect.ts';
import { initialConfig, newProjectId } from '../../config/init.ts';
import { Failure } from '../../errors.ts';
import { installed } from '../../installation.ts';
import type { Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';

export const init: Handler<typeof definitions.init> = async (_options, { common, context, output }) => {
  const path = resolve(context.cwd, common.config ?? 'pipeline.yml');
  const detected = await detectFolder(context.cwd, context);
  const text = initialConfig(detected, {
    id: newProjectId(),
    schema: relative(dirname(path), installed('schema/pipeline.schema.json')),
  });
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Failure('usage', `${path} exists already, and is left as it is`, {
      next: 'Change it with an editor, or move it away and run pipeline init again.',
    });
  }
  const found =
    detected.kind.runtime === 'unknown'
      ? 'no application that I know'
      : `a ${detected.kind.runtime} application`;
  output.line(`Wrote ${relative(context.cwd, path) || path}: found ${found} here.`);
  output.line('Next: read it, then pipeline doctor and pipeline prod plan');
  return { json: { path, runtime: detected.kind.runtime } };
};
