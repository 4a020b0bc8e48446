import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffLines } from '../../src/host/diff.ts';

const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

describe('diffLines', () => {
  it.each([
    ['nothing where the texts are equal', 'a\nb\n', 'a\nb\n', []],
    ['everything where there was nothing', undefined, 'a\nb\n', ['+a', '+b']],
    ['everything where nothing stays', 'a\nb\n', '', ['-a', '-b']],
    ['a line end that is missing at the end', 'a\nb', 'a\nb\n', [' a', ' b', '-(no line end)']],
    [
      'two lines around a change',
      '1\n2\n3\n4\n5\n6\n7\n',
      '1\n2\n3\nx\n5\n6\n7\n',
      [' 2', ' 3', '-4', '+x', ' 5', ' 6'],
    ],
    [
      'what lies between distant changes as one sign',
      '1\n2\n3\n4\n5\n6\n7\n8\n9\n',
      'x\n2\n3\n4\n5\n6\n7\n8\ny\n',
      ['-1', '+x', ' 2', ' 3', '…', ' 7', ' 8', '-9', '+y'],
    ],
  ])('shows %s', (_title, before, after, lines) => {
    expect(diffLines(before, after)).toEqual(lines);
  });

  it('is bounded', () => {
    const lines = diffLines(undefined, text(Array.from({ length: 5000 }, (_, i) => `line ${i}`)));
    expect(lines).toHaveLength(121);
    expect(lines.at(-1)).toBe('… 4880 more lines');
  });

  it('shows every line that goes and every line that comes, and nothing else', () => {
    const word = fc.constantFrom('a', 'b', 'c', 'd');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), fc.array(word, { maxLength: 12 }), (a, b) => {
        const lines = diffLines(text(a), text(b));
        const count = (list: readonly string[], sign: string, letter: string) =>
          list.filter((line) => line === sign + letter).length;
        for (const letter of ['a', 'b', 'c', 'd']) {
          const gone = count(lines, '-', letter);
          const come = count(lines, '+', letter);
          expect(come - gone).toBe(count(b, '', letter) - count(a, '', letter));
        }
        expect(lines.length === 0).toBe(text(a) === text(b));
      }),
    );
  });

  it('shows the shortest difference', () => {
    const lines = diffLines(text(['a', 'b', 'c', 'd', 'e']), text(['b', 'c', 'x', 'd', 'e', 'f']));
    expect(lines.filter((line) => /^[-+]/.test(line))).toEqual(['-a', '+x', '+f']);
  });
});
