/** What of the real host needs no root: its files. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realHost as host } from '../../src/onhost/real/host.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'onhost-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('files of the real host', () => {
  it('are written with their mode, and read again', async () => {
    const path = `${folder}/a/env`;
    await host.write(path, 'A=1\n', 0o600);
    await host.write(path, 'A=2\n', 0o600);
    expect(await host.read(path)).toBe('A=2\n');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await host.list(`${folder}/a`)).toEqual(['env']);
    expect(await host.read(`${folder}/none`)).toBeUndefined();
    expect(await host.list(`${folder}/none`)).toEqual([]);
  });

  it('are linked in one step, over a link that is there', async () => {
    await host.link('releases/one', `${folder}/blue`);
    await host.link('releases/two', `${folder}/blue`);
    expect(await host.readLink(`${folder}/blue`)).toBe('releases/two');
    expect(await host.readLink(`${folder}/green`)).toBeUndefined();
  });

  it('are appended to, hashed, moved and removed', async () => {
    await host.append(`${folder}/log/audit.jsonl`, 'one\n');
    await host.append(`${folder}/log/audit.jsonl`, 'two\n');
    expect(await readFile(`${folder}/log/audit.jsonl`, 'utf8')).toBe('one\ntwo\n');
    await host.rename(`${folder}/log`, `${folder}/logs`);
    // From `printf 'one\ntwo\n' | sha256sum`.
    const hash = 'c3f9c8c283a2b1f2f1896f27a01cbe3cddc0c9d93f752e4639035a0f5b36f6e8';
    expect(await host.sha256(`${folder}/logs/audit.jsonl`)).toBe(hash);
    expect(await host.sha256(`${folder}/none`)).toBeUndefined();
    await host.remove(`${folder}/logs`);
    expect(await host.exists(`${folder}/logs`)).toBe(false);
  });

  it('are run without a shell', async () => {
    expect(await host.run('printf', '%s|', '$HOME', 'a b')).toEqual({ code: 0, said: '$HOME|a b|' });
    expect((await host.run('false')).code).toBe(1);
    await expect(host.run('no-such-program')).rejects.toThrow('ENOENT');
  });
});
