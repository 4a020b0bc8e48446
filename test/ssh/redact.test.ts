import { describe, expect, test } from 'vitest';
import { redactor } from '../../src/ssh/redact.ts';

describe('redactor', () => {
  test.each([
    ['a secret everywhere', ['hunter2'], 'hunter2 and xhunter2y', '*** and x***y'],
    ['the longer of two that overlap', ['pass', 'password'], 'password', '***'],
    ['nothing for an empty secret', [''], 'text', 'text'],
    ['nothing without secrets', undefined, 'text', 'text'],
    ['every line of a secret with several', ['line one\nline two\n'], 'x line two', 'x ***'],
    ['not the braces of a secret in JSON', ['{\n"k": "value"\n}'], '{ "k": "value" }', '{ *** }'],
    ['characters that mean something in patterns', ['a.*$1'], 'say a.*$1 and abc', 'say *** and abc'],
  ])('hides %s', (_what, secrets, text, shown) => expect(redactor(secrets)(text)).toBe(shown));
});
