import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boundTo, pack, sha256 } from '../../src/build/pack.ts';
import { quietContext } from '../../src/context.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-pack-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function tree(name: string, mode: number, time: number): string {
  const root = join(folder, name);
  for (const path of ['b/x', 'a/y', 'node_modules/.cache/z', '.git/HEAD']) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), path);
    chmodSync(join(root, path), mode);
    utimesSync(join(root, path), time, time);
  }
  writeFileSync(join(root, 'run'), '#!/bin/sh\n');
  chmodSync(join(root, 'run'), mode | 0o100);
  symlinkSync('run', join(root, 'link'));
  return root;
}

describe('packing', () => {
  it('gives the same bytes for the same files, whatever umask and clock said', async () => {
    const [one, two] = [join(folder, 'one.tar.gz'), join(folder, 'two.tar.gz')];
    await pack(tree('one', 0o644, 1_000), one, 1_700_000_000, quietContext());
    const other = tree('two', 0o600, 2_000);
    rmSync(join(other, '.git'), { recursive: true });
    rmSync(join(other, 'node_modules', '.cache'), { recursive: true });
    await pack(other, two, 1_700_000_000, quietContext());
    expect(await sha256(one)).toBe(await sha256(two));
  });

  it('notices other content', async () => {
    const [one, two] = [join(folder, 'one.tar.gz'), join(folder, 'two.tar.gz')];
    const root = tree('one', 0o644, 1_000);
    await pack(root, one, 1_700_000_000, quietContext());
    writeFileSync(join(root, 'a', 'y'), 'changed');
    await pack(root, two, 1_700_000_000, quietContext());
    expect(await sha256(one)).not.toBe(await sha256(two));
  });
});

describe('which processor the binaries in a folder need', () => {
  const elf = (machine: number) => {
    const header = Buffer.alloc(64);
    header.write('\x7fELF', 'latin1');
    header.writeUInt16LE(machine, 18);
    return header;
  };
  it.each([
    ['none', {}, null],
    ['a script that is called .node', { 'x.node': Buffer.from('console.log(1) // no binary') }, null],
    ['a module for x64', { 'build/x.node': elf(62) }, 'x64'],
    ['a helper program for arm64', { 'bin/esbuild': elf(183) }, 'arm64'],
    ['one for each', { 'x64/x.node': elf(62), 'arm64/x.node': elf(183) }, null],
  ])('%s', async (_, files, expected) => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    expect(await boundTo(folder)).toBe(expected);
  });
});
