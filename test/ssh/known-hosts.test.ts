import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatKnownHosts, writeKnownHosts } from '../../src/ssh/known-hosts.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBmZ';

describe('known_hosts', () => {
  test('has a line for each key, the port where it is not 22, no comments; sorted, no doubles', () => {
    const text = formatKnownHosts([
      { address: 'Web.Example.COM', port: 2222, keys: [`${key} root@web`, 'ecdsa-sha2-nistp256 AAAA=='] },
      { address: '10.0.0.7', port: 22, keys: [key] },
      { address: '10.0.0.7', port: 22, keys: [`${key} again\n`] },
      { address: '2001:db8::5', port: 22, keys: [key] },
    ]);
    expect(text.split('\n')).toEqual([
      `10.0.0.7 ${key}`,
      `2001:db8::5 ${key}`,
      '[web.example.com]:2222 ecdsa-sha2-nistp256 AAAA==',
      `[web.example.com]:2222 ${key}`,
      '',
    ]);
  });

  test.each([
    ['a second line in a key', { address: 'a', port: 22, keys: [`${key}\n* ${key}`] }],
    ['a marker instead of a key', { address: 'a', port: 22, keys: ['@cert-authority * ssh-ed25519 AAAA'] }],
    ['a pattern as address', { address: '*', port: 22, keys: [key] }],
    ['a list of addresses', { address: 'a,b', port: 22, keys: [key] }],
    ['an empty key', { address: 'a', port: 22, keys: [''] }],
  ])('refuses %s', (_what, host) => expect(() => formatKnownHosts([host])).toThrow(RangeError));

  describe('as a file', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'pipeline-known-hosts-'));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    test('is written where it differs, for the user alone', async () => {
      const path = join(folder, 'new', 'known_hosts');
      const hosts = [{ address: '10.0.0.7', port: 22, keys: [key] }];
      expect(await writeKnownHosts(path, hosts)).toBe(true);
      expect(readFileSync(path, 'utf8')).toBe(`10.0.0.7 ${key}\n`);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const before = statSync(path).ino;
      expect(await writeKnownHosts(path, hosts)).toBe(false);
      expect(statSync(path).ino).toBe(before);
    });
  });
});
