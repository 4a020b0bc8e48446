import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  generateEd25519,
  md5Fingerprint,
  publicKeyLine,
  publicKeyOf,
  publicKeyPoint,
} from '../../src/cloud/ed25519.ts';
import { findOperatorKey, operatorKey } from '../../src/cloud/operator-key.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'operator-key-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('an ed25519 key of ours', () => {
  it('is read by ssh-keygen as the same key', async () => {
    const pair = generateEd25519('pipeline prod');
    const path = join(folder, 'key');
    await writeFile(path, pair.privateKey, { mode: 0o600 });
    const printed = execFileSync('ssh-keygen', ['-y', '-f', path], { encoding: 'utf8' }).trim();
    expect(printed).toBe(`${pair.publicKey} pipeline prod`);
    expect(publicKeyOf(pair.privateKey)).toBe(pair.publicKey);
  });

  it('has the MD5 fingerprint that ssh-keygen prints', async () => {
    const pair = generateEd25519();
    await writeFile(join(folder, 'key.pub'), `${pair.publicKey}\n`);
    const printed = execFileSync('ssh-keygen', ['-l', '-E', 'md5', '-f', join(folder, 'key.pub')], {
      encoding: 'utf8',
    });
    expect(printed).toContain(`MD5:${md5Fingerprint(pair.publicKey)}`);
  });

  it('survives the way to its 32 bytes and back', () => {
    const { publicKey } = generateEd25519();
    const point = publicKeyPoint(`${publicKey} a comment`);
    expect(point?.length).toBe(32);
    expect(publicKeyLine(point ?? Buffer.alloc(0))).toBe(publicKey);
  });

  it.each([
    ['an RSA key', 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAA'],
    ['nothing', ''],
    ['a short key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=='],
  ])('is not %s', (_title, line) => {
    expect(publicKeyPoint(line)).toBeUndefined();
  });
});

describe('the operator key', () => {
  it('is made once, readable for its owner alone, without leftovers', async () => {
    const made = await Promise.all([1, 2, 3, 4].map(() => operatorKey(folder, 'prod')));
    expect(new Set(made.map((key) => key.publicKey)).size).toBe(1);
    const identityFile = made[0]?.identityFile ?? '';
    expect(identityFile).toBe(join(folder, '.pipeline', 'keys', 'prod'));
    expect((await stat(identityFile)).mode & 0o777).toBe(0o600);
    expect((await readdir(join(folder, '.pipeline', 'keys'))).sort()).toEqual(['prod', 'prod.pub']);
    expect((await readFile(`${identityFile}.pub`, 'utf8')).trim()).toBe(made[0]?.publicKey);
    expect(await operatorKey(folder, 'prod')).toEqual(made[0]);
  });

  it('is not made by looking for it', async () => {
    expect(await findOperatorKey(folder, 'prod')).toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is never replaced: a damaged file is a mistake with a next step', async () => {
    const { identityFile } = await operatorKey(folder, 'prod');
    await writeFile(identityFile, 'garbage');
    await expect(operatorKey(folder, 'prod')).rejects.toMatchObject({
      kind: 'usage',
      next: expect.stringContaining('Put back'),
    });
    expect(await readFile(identityFile, 'utf8')).toBe('garbage');
  });
});
