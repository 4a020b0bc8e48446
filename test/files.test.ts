import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { shownPath, writeFileAtomic } from '../src/files.ts';

describe('writeFileAtomic', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pipeline-files-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('writes what differs, with its mode and the folders on the way', async () => {
    const path = join(folder, 'a/b/file');
    expect(await writeFileAtomic(path, 'one', 0o600)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await writeFileAtomic(path, new TextEncoder().encode('one'))).toBe(false);
    expect(await writeFileAtomic(path, 'two')).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(readdirSync(join(folder, 'a/b'))).toEqual(['file']);
  });

  test('leaves nothing of its own where it fails', async () => {
    mkdirSync(join(folder, 'taken'));
    await expect(writeFileAtomic(join(folder, 'taken'), 'x')).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(['taken']);
  });

  test('writers at the same time leave one of their contents, whole', async () => {
    const path = join(folder, 'file');
    const contents = Array.from({ length: 20 }, (_, i) => `${i} `.repeat(10_000));
    await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
    expect(contents).toContain(readFileSync(path, 'utf8'));
    expect(readdirSync(folder)).toEqual(['file']);
  });
});

test.each([
  ['/a/b/c', '/a/b', 'c'],
  ['/a/x', '/a/b', '/a/x'],
  ['/a/b', '/a/b', '/a/b'],
])('%s is shown in %s as %s', (path, cwd, shown) => expect(shownPath(path, cwd)).toBe(shown));
