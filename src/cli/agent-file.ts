/** The agent that is copied to hosts: one file, made by `npm ci` beside this program. */
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../errors.ts';

/** Its path. @throws Failure kind `usage` where it was not built. */
export async function agentFile(): Promise<string> {
  // This code runs from dist/, from dist/chunks/ or, in tests, from src/cli/.
  for (
    let folder = dirname(fileURLToPath(import.meta.url));
    folder !== dirname(folder);
    folder = dirname(folder)
  ) {
    for (const path of [join(folder, 'agent.js'), join(folder, 'dist', 'agent.js')]) {
      if (await exists(path)) return path;
    }
  }
  throw new Failure('usage', 'The agent, which measures on the hosts, is not built.', {
    next: 'Run "npm ci" once in the folder of pipeline.',
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
