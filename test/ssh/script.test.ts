import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import functions from '../../src/proxy/functions.sh' with { type: 'text' };
import { withValues } from '../../src/ssh/script.ts';

const bash = (text: string) => execFileSync('bash', ['-c', text], { encoding: 'utf8' });

describe('values of a bash program', () => {
  test.each(['plain', '', "it's", '$(touch /tmp/x) `id` "$HOME"', 'two\nlines', '~root', 'a=b', 'ünï'])(
    'reach it unchanged: %j',
    (value) => {
      expect(bash(withValues('printf %s "$value"', { value }))).toBe(value);
    },
  );

  test('a list becomes an array, with empty words kept', () => {
    const words = ['a b', '', "it's", '*'];
    expect(bash(withValues(`printf "<%s>" "\${words[@]}"`, { words }))).toBe("<a b><><it's><*>");
    expect(bash(withValues(`echo "\${#words[@]}"`, { words: [] }))).toBe('0\n');
  });

  test('a name that bash would not take is a mistake', () => {
    expect(() => withValues('', { 'a b': '1' })).toThrow('a b is not a name for a bash variable');
  });
});

test('a program in a .sh file is read as text, and refuses to run without its values', () => {
  expect(functions).toContain('site_put() {');
  expect(() => execFileSync('bash', ['-c', functions], { stdio: 'pipe' })).toThrow('proxy_sites');
});
