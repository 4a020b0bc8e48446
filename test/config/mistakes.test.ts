/**
 * In `cases/` a line that is wrong says so itself: `#! path: message`, several where several things are
 * wrong.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config/mistakes.ts';

const folder = join(import.meta.dirname, 'cases');

describe('all mistakes at once, each at its line', () => {
  test.each(readdirSync(folder))('%s', (name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    const expected = text.split('\n').flatMap((line, i) =>
      line
        .split(' #! ')
        .slice(1)
        .map((message) => `${i + 1}: ${message}`),
    );
    const { values, mistakes } = readConfig(text);
    const found = mistakes.map(
      ({ line, path, message }) => `${line}: ${path === '' ? '' : `${path}: `}${message}`,
    );
    expect(found.sort()).toEqual(expected.sort());
    expect(values === undefined).toBe(expected.length > 0);
  });
});

describe('a file that is no configuration', () => {
  test.each([
    ['', 'the file is empty'],
    ['# nothing\n', 'the file is empty'],
    ['- a\n', 'expected a mapping (key: value), got a list'],
    ['just text\n', 'expected a mapping (key: value), got "just text"'],
    [
      'a: 1\n---\nb: 2\n',
      'not YAML: source contains multiple documents; please use YAML.parseAllDocuments()',
    ],
  ])('%j: %s', (text, message) => {
    const { mistakes } = readConfig(text);
    expect(mistakes.map((mistake) => mistake.message)).toContain(message);
  });

  test('aliases that would grow without end are refused', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 9; i++)
      bomb.push(
        `k${i}: &k${i} [${Array(10)
          .fill(i === 1 ? '*a' : `*k${i - 1}`)
          .join(',')}]`,
      );
    expect(readConfig(bomb.join('\n')).mistakes).toHaveLength(1);
  });
});

test('defaults are filled in, durations are milliseconds and sizes are bytes', () => {
  const { values } = readConfig(`
project: demo
hosts: { web: { roles: [nginx], memory: 1.5G } }
apps: { a: { source: ., hosts: [web], drain: 1.5m, site: { max_body: 20M } } }`);
  expect(values?.hosts.web).toEqual({ roles: ['nginx'], count: 1, memory: 1.5 * 1024 ** 3 });
  expect(values?.apps.a).toMatchObject({
    drain: 90_000,
    keep: 5,
    health: { method: 'GET', path: '/' },
    site: { port: 80, max_body: 20 * 1024 ** 2 },
  });
});
