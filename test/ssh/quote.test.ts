import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { command, quote } from '../../src/ssh/quote.ts';

describe('quote', () => {
  test.each([
    ['plain', 'plain'],
    ['/usr/bin/x-1.2', '/usr/bin/x-1.2'],
    ['', "''"],
    ['two words', "'two words'"],
    ["it's", "'it'\\''s'"],
    ['$HOME `id` "x"', '\'$HOME `id` "x"\''],
    ['~/x', "'~/x'"],
    ['A=1', "'A=1'"],
  ])('%j is %s', (word, expected) => expect(quote(word)).toBe(expected));

  test('refuses what no argument can hold', () => expect(() => quote('a\0b')).toThrow(RangeError));

  test('any words reach the program unchanged, through sh', () => {
    const word = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
    const words = fc.array(word, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(words, (argv) => {
        const printed = execFileSync('sh', ['-c', command(['printf', '%s\\0', ...argv])], {
          encoding: 'utf8',
        });
        expect(printed).toBe(argv.map((one) => `${one}\0`).join(''));
      }),
      { numRuns: 100 },
    );
  });
});
