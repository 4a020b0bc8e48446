import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';

const VALID = 'project: demo\nhosts:\n  web: { roles: [nginx] }\n';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('loadConfig', () => {
  test('takes the nearest pipeline.yml upwards', async () => {
    writeFileSync(join(folder, 'pipeline.yml'), VALID);
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    const config = await loadConfig(undefined, { cwd: join(folder, 'a/b') });
    expect(config).toMatchObject({ project: 'demo', path: join(folder, 'pipeline.yml'), directory: folder });
  });

  test('takes the file that is named, from the current folder', async () => {
    mkdirSync(join(folder, 'a'));
    writeFileSync(join(folder, 'a/other.yml'), VALID);
    expect(await loadConfig('a/other.yml', { cwd: folder })).toMatchObject({ directory: join(folder, 'a') });
  });

  test('says where there is none, and what to do', async () => {
    const next = expect.stringContaining('pipeline init');
    await expect(loadConfig(undefined, { cwd: folder })).rejects.toMatchObject({ kind: 'usage', next });
    await expect(loadConfig('nope.yml', { cwd: folder })).rejects.toMatchObject({
      kind: 'usage',
      message: 'there is no file nope.yml',
      next,
    });
    await expect(loadConfig('.', { cwd: folder })).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringContaining('cannot be read'),
    });
  });

  test('one mistake is the message, several are listed, each with file and line', async () => {
    writeFileSync(join(folder, 'pipeline.yml'), `${VALID}aps: {}\n`);
    await expect(loadConfig(undefined, { cwd: folder })).rejects.toMatchObject({
      kind: 'usage',
      message: 'pipeline.yml:4: aps: unknown key, did you mean "apps"?',
      output: [],
    });
    writeFileSync(join(folder, 'pipeline.yml'), `${VALID}aps: {}\nprovider: moon\n`);
    await expect(loadConfig(undefined, { cwd: folder })).rejects.toMatchObject({
      message: 'pipeline.yml has 2 mistakes',
      output: [
        'pipeline.yml:4: aps: unknown key, did you mean "apps"?',
        'pipeline.yml:5: provider: expected local or digitalocean, got "moon"',
      ],
    });
  });
});
