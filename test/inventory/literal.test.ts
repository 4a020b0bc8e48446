import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatValue, parseValue } from '../../src/inventory/literal.ts';
import type { InventoryValue } from '../../src/inventory/model.ts';
import { quoteWord, splitWords } from '../../src/inventory/shlex.ts';

const text = fc.string({ unit: 'grapheme' });
const { value } = fc.letrec<{ value: InventoryValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.constantFrom(
      'True',
      'None',
      '007',
      '1e5',
      '[1',
      "'",
      '"x"',
      '# no',
      ' spaced ',
      'a #b',
      '-o X="y z"',
      '{{ x }}',
    ),
    fc.integer(),
    fc.double({ noNaN: true }).filter((number) => !Object.is(number, -0)),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}));

test('every value comes back from the text that is written for it', () => {
  fc.assert(
    fc.property(value, (one) => {
      expect(parseValue(formatValue(one))).toEqual(one);
    }),
    { numRuns: 500 },
  );
});

test('every word comes back from a line, beside others', () => {
  const words = fc.array(fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(words, (list) => {
      expect(splitWords(list.map(quoteWord).join(' '), { comments: true })).toEqual(list);
    }),
    { numRuns: 500 },
  );
});
