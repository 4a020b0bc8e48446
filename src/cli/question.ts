/** Questions to the person at the terminal. */
import { createInterface } from 'node:readline/promises';
import { Failure } from '../errors.ts';
import type { Output } from './output.ts';

/**
 * Goes on only where the person types `expected`.
 * @throws Failure `usage` where nobody is there to ask, or the answer is another.
 */
export async function confirm(question: string, expected: string, output: Output): Promise<void> {
  if (!output.interactive || process.stdin.isTTY !== true) {
    throw new Failure('usage', 'this needs a yes, and there is no terminal to ask on', {
      next: 'Run it again with --yes.',
    });
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(question);
    if (answer.trim() !== expected) throw new Failure('usage', 'not confirmed; nothing was done');
  } finally {
    lines.close();
  }
}
