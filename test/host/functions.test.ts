import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import functions from '../../src/host/functions.sh' with { type: 'text' };
import { withValues } from '../../src/ssh/script.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-functions-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs bash with the functions, as a host's script has them; lines of its output. */
function run(bash: string): string[] {
  const program = withValues(`${functions}\n${bash}`, {
    report_mark: '@',
    refused: '65',
    cut_off: '77',
    policy_file: join(folder, 'policy'),
    policy_marker: 'made by a test',
    lock_seconds: '1',
    confirm_seconds: '1',
    log: join(folder, 'log'),
    written: join(folder, 'written'),
    theirs_folder: join(folder, 'theirs'),
  });
  return execFileSync('bash', ['-c', program], { encoding: 'utf8' }).trimEnd().split('\n');
}

/** Without touching this machine's own list of held services. */
const RELEASE = `rm() { [[ $* = *held ]] || command rm "$@"; }; release`;

describe('a step', () => {
  test('reports its start and its end, and keeps its output', () => {
    const said = run('step0() { echo working; }; step 0 2; report finished');
    expect(said).toEqual(['@start 0 2', 'working', '@done 0 2', '@finished']);
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('working\n');
  });

  test('that fails ends the script with its exit code and the fullest disk', () => {
    const said = run('step0() { (exit 7); echo never; }; step 0 1; report finished');
    expect(said).toEqual(['@start 0 1', expect.stringMatching(/^@failed 0 1 7 \d+ \d+$/)]);
  });
});

test('a file that its validation refuses is told from a step that fails otherwise', () => {
  expect(run("validated 'echo why; false'; echo $?")).toEqual(['why', '65']);
  expect(run('validated true; echo $?')).toEqual(['0']);
});

test('a stamp replaces the one before it', () => {
  run('stamp "$policy_file" one; stamp "$policy_file" "it\'s two"');
  expect(readFileSync(join(folder, 'policy'), 'utf8')).toBe("it's two");
});

test("release takes away our own policy for services, and leaves somebody else's", () => {
  const policy = join(folder, 'policy');
  writeFileSync(policy, '#!/bin/sh\nexit 0\n');
  run(RELEASE);
  expect(readFileSync(policy, 'utf8')).toContain('exit 0');
  writeFileSync(policy, '#!/bin/sh\n# made by a test: …\n');
  run(RELEASE);
  expect(() => readFileSync(policy)).toThrow('ENOENT');
});
