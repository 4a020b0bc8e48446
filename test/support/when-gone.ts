/** A process that outlives this one: it cleans up where this one is gone without having done so. */
import { spawn } from 'node:child_process';

/**
 * @param words the program that cleans up, and its arguments
 * @returns ends it: all is cleaned up
 */
export function whenGone(words: readonly string[], cwd = '/'): () => void {
  const script = 'read -r word; [ "$word" = released ] || exec "$@"';
  const child = spawn('sh', ['-c', script, 'when-gone', ...words], {
    cwd,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return () => {
    child.stdin.on('error', () => {}).end('released\n');
  };
}
