/** What visitors of a closed site see. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AppConfig } from '../../config/schema.ts';
import { Failure } from '../../errors.ts';
import { unreadableWords } from '../../files.ts';
import { bytes } from '../../format.ts';

/** It is handed over in one piece. */
const MOST_BYTES = 512 * 1024;

const PLAIN = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Back soon</title>
<style>
  body { font: 1.1rem/1.5 system-ui, sans-serif; margin: 20vh auto; max-width: 30rem; padding: 0 1rem }
</style>
<h1>Back soon</h1>
<p>We are working on this site. Please try again in a few minutes.</p>
</html>
`;

/** @throws Failure kind `usage`: the definition's page cannot be read, or is too large. */
export async function closedPage(app: string, { site }: AppConfig, directory: string): Promise<string> {
  if (site.maintenance === undefined) return PLAIN;
  const path = resolve(directory, site.maintenance);
  const next = 'Correct site: maintenance: in pipeline.yml; the path is relative to its folder.';
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Failure('usage', `${app}: ${path} cannot be read: ${unreadableWords(error)}`, {
      next,
      cause: error,
    });
  });
  if (text.trim() === '') throw new Failure('usage', `${app}: ${path} is empty`, { next });
  if (Buffer.byteLength(text) <= MOST_BYTES) return text;
  throw new Failure('usage', `${app}: ${path} is larger than ${bytes(MOST_BYTES)}`, {
    next: 'Make it smaller: the page cannot load files from a closed site, but from elsewhere.',
  });
}
