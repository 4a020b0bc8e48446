/** Lines of a file from its end on, in bounded memory. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 128 * 1024;
const LONGEST_LINE = 64 * 1024;

/**
 * The last line first; longer lines than 64 kB are left out. No file: no lines.
 * @param mostBytes read at most
 */
export function* linesBackwards(path: string, mostBytes: number): Generator<string> {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    let end = fstatSync(file).size;
    const least = Math.max(0, end - mostBytes);
    const chunk = Buffer.alloc(CHUNK_BYTES);
    // The beginning of the line that goes on in what was read before.
    let rest: Buffer = Buffer.alloc(0);
    while (end > least) {
      const begin = Math.max(least, end - CHUNK_BYTES);
      const read = readSync(file, chunk, 0, end - begin, begin);
      let text = Buffer.concat([chunk.subarray(0, read), rest]);
      end = begin;
      const first = text.indexOf(10);
      if (first < 0) {
        rest = text.length > LONGEST_LINE ? Buffer.alloc(0) : text;
        continue;
      }
      rest = Buffer.from(text.subarray(0, first));
      text = text.subarray(first + 1);
      const lines = text.toString('utf8').split('\n');
      for (let i = lines.length - 1; i >= 0; i--) if (lines[i] !== '') yield lines[i] ?? '';
    }
    if (least === 0 && rest.length > 0 && rest.length <= LONGEST_LINE) yield rest.toString('utf8');
  } finally {
    closeSync(file);
  }
}
