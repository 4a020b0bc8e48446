import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RELEASE_FUNCTIONS } from '../../src/release/functions.ts';

describe('the probation of a release with two processes', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pipeline-probation-'));
    const units = ['21000', '21001'].map((port) => `a@${port}.service 127.0.0.1 ${port}\n`);
    writeFileSync(join(folder, 'blue.instances'), units.join(''));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs the real function for a second; `check` is the body of the check, with ADDRESS:PORT as `$1`. */
  function watchOver(check: string): { readonly code: number | null; readonly said: readonly string[] } {
    const path = join(folder, 'check');
    writeFileSync(path, `#!/bin/bash\n${check}\n`);
    chmodSync(path, 0o700);
    const script = `set -u
app=app release=r colour=blue old=green started=0
${RELEASE_FUNCTIONS}
folder=${folder} settings=${folder}
systemctl() { echo 0; }
journalctl() { :; }
sleep() { :; }
watch_over 1000`;
    const { status, stdout, stderr } = spawnSync('bash', ['-s'], { input: script, encoding: 'utf8' });
    expect(stderr).toBe('');
    return { code: status, said: stdout.split('\n').filter((line) => line.startsWith('@@ failed')) };
  }

  it.each(['21000', '21001'])(
    'ends where the one on port %s fails every check, however well the other is',
    (port) => {
      const { code, said } = watchOver(`echo "GET / on $1"; [[ $1 != *:${port} ]]`);
      expect(said).toEqual([`@@ failed probation GET / on 127.0.0.1:${port}`]);
      expect(code).toBe(30);
    },
  );

  it('is passed where both are well', () => {
    expect(watchOver('echo well')).toEqual({ code: 0, said: [] });
  });

  it('forgives a process two failed checks in a row', () => {
    const count = `n=$(cat "$0".n 2>/dev/null || echo 0); echo $((n + 1)) >"$0".n`;
    // Each process is asked in turn: the first four answers are two bad ones of each.
    expect(watchOver(`${count}\necho "answer $n"; [ $n -ge 4 ]`)).toEqual({ code: 0, said: [] });
  });
});
