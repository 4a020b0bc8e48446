/**
 * The scripts of the first contact, run by bash on files of this test, cut off after every line and run
 * again.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  adoptScript,
  offerScript,
  type Places,
} from '../../../../src/cloud/digitalocean/hosts/host-scripts.ts';
import { generateEd25519, publicKeyOf } from '../../../../src/cloud/ed25519.ts';

let folder: string;
let places: Places;
const injected = generateEd25519();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'host-scripts-'));
  places = { key: join(folder, 'ssh', 'ssh_host_ed25519_key'), home: join(folder, 'root') };
  for (const name of ['bin', 'ssh', 'root']) mkdirSync(join(folder, name));
  writeFileSync(places.key, injected.privateKey, { mode: 0o600 });
  writeFileSync(join(folder, 'ssh', 'ssh_host_rsa_key'), 'old');
  // The service is not there; that it is asked to reload is what counts.
  writeFileSync(join(folder, 'bin', 'systemctl'), `#!/bin/sh\necho "$*" >> ${folder}/asked\n`);
  chmodSync(join(folder, 'bin', 'systemctl'), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function bash(script: string): string {
  const PATH = `${join(folder, 'bin')}:${process.env.PATH}`;
  return execFileSync('bash', ['-s'], { input: script, encoding: 'utf8', env: { ...process.env, PATH } });
}

const offer = (keys: readonly string[] = []) =>
  bash(offerScript(places, keys)).trim().split(' ').slice(0, 2).join(' ');
const shown = () => publicKeyOf(readFileSync(places.key, 'utf8'));
/** The script, ended after its n-th line: as if it were killed there. */
const cut = (script: string, lines: number) => script.split('\n').slice(0, lines).join('\n');

describe('the first contact', () => {
  it('exchanges the host key for one that was made on the droplet and leaves no other', () => {
    const key = offer();
    expect(key).not.toBe(injected.publicKey);
    expect(shown()).toBe(injected.publicKey);
    bash(adoptScript(places));
    expect(shown()).toBe(key);
    expect(readFileSync(`${places.key}.pub`, 'utf8')).toContain(key);
    expect(readdirSync(join(folder, 'ssh')).sort()).toEqual([
      'ssh_host_ed25519_key',
      'ssh_host_ed25519_key.adopted',
      'ssh_host_ed25519_key.pub',
    ]);
    expect(statSync(places.key).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe('reload ssh\n');
  });

  it('answers the same key before and after it was adopted', () => {
    const key = offer();
    expect(offer()).toBe(key);
    bash(adoptScript(places));
    expect(offer()).toBe(key);
    bash(adoptScript(places));
    expect(shown()).toBe(key);
  });

  it('goes on wherever adopting was cut off, with the key that was offered', () => {
    const key = offer();
    const before = join(folder, 'before');
    cpSync(join(folder, 'ssh'), before, { recursive: true });
    const lines = adoptScript(places).trimEnd().split('\n').length;
    for (let line = 1; line <= lines; line++) {
      rmSync(join(folder, 'ssh'), { recursive: true });
      cpSync(before, join(folder, 'ssh'), { recursive: true });
      bash(cut(adoptScript(places), line));
      expect([injected.publicKey, key]).toContain(shown());
      expect(offer()).toBe(key);
      bash(adoptScript(places));
      expect(shown()).toBe(key);
    }
  });

  it('makes a new key where the image brought the note of another droplet', () => {
    offer();
    bash(adoptScript(places));
    writeFileSync(places.key, injected.privateKey, { mode: 0o600 });
    const key = offer();
    expect(key).not.toBe(injected.publicKey);
    bash(adoptScript(places));
    expect(shown()).toBe(key);
  });

  it('lets further keys sign in, once each, and keeps those that are there', () => {
    const file = join(folder, 'root', '.ssh', 'authorized_keys');
    mkdirSync(join(folder, 'root', '.ssh'));
    writeFileSync(file, 'ssh-ed25519 AAAA first');
    const keys = ["ssh-ed25519 BBBB o'neil", 'ssh-ed25519 CCCC third'];
    offer(keys);
    offer(keys);
    expect(readFileSync(file, 'utf8')).toBe(`ssh-ed25519 AAAA first\n${keys.join('\n')}\n`);
  });
});
