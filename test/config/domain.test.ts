import { describe, expect, test } from 'vitest';
import { domain } from '../../src/config/schema-values.ts';

describe('a domain of a site', () => {
  test.each([
    ['shop.example', 'shop.example'],
    ['Shop.Example', 'shop.example'],
    ['*.shop.example', '*.shop.example'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['*.例え.example', '*.xn--r8jz45g.example'],
  ])('%s is served as %s', (text, expected) => {
    expect(domain().parse(text)).toBe(expected);
  });

  test.each(['https://shop.example', 'shop.example:8080', 'shop.example/path', 'shop example', 'a..b', ''])(
    '"%s" is refused with the form that is right',
    (text) => {
      const { error } = domain().safeParse(text);
      expect(error?.issues[0]?.message).toMatch(/^expected a host name .*like shop\.example/);
    },
  );
});
