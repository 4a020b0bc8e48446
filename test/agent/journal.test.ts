import { describe, expect, it } from 'vitest';
import { parseEntry } from '../../src/agent/system/journal.ts';

const entry = (MESSAGE: unknown, PRIORITY = '6') =>
  JSON.stringify({ __CURSOR: 's=1;i=2', MESSAGE, PRIORITY });

describe('a line of the journal reports an error', () => {
  it.each([
    ["TypeError: Cannot read properties of undefined (reading 'x')", true],
    ['Error: listen EADDRINUSE', true],
    ['java.lang.NullPointerException: null', true],
    ['Exception in thread "main"', true],
    ['2024/01/01 panic: runtime error', true],
    ['[Unhandled] rejection', true],
    ['2024/05/01 12:00:00 [error] 31#31: *1 connect() failed', true],
    ['FATAL ERROR: heap out of memory', true],
    ['GET /preview 200 12 ms', false],
    ['0 errors, 3 warnings', false],
    ['mirror, terror', false],
    ['listening on 3000', false],
    ['', false],
  ])('%s: %s', (message, expected) => {
    expect(parseEntry(entry(message))).toEqual({ cursor: 's=1;i=2', isError: expected });
  });

  it('by its priority too, and where it is not UTF-8', () => {
    expect(parseEntry(entry('low disk', '3'))?.isError).toBe(true);
    expect(parseEntry(entry('low disk', '4'))?.isError).toBe(false);
    expect(parseEntry(entry([...Buffer.from('\xffError: x', 'latin1')]))?.isError).toBe(true);
    expect(parseEntry(entry(null))?.isError).toBe(false);
  });

  it.each(['', '-- No entries --', 'null', '{}', '[1]'])('and is none: %j', (line) => {
    expect(parseEntry(line)).toBeUndefined();
  });
});
