/** The command lines for the host, run by this machine's own bash. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { endMark, killScript, ownOutput, runCommand, runInput } from '../../src/ssh/remote.ts';

function run(input: string, token = 'abc123') {
  const { stdout, stderr } = spawnSync('sh', ['-c', runCommand('root', token)], { input, encoding: 'utf8' });
  return { stdout: ownOutput(stdout, token), stderr, exitCode: endMark(token).exec(stderr.trimEnd())?.[1] };
}

describe('a run', () => {
  test('says at its end with which code it ended', () => {
    expect(run(runInput('echo a; exit 7', 'abc123'))).toMatchObject({ stdout: 'a\n', exitCode: '7' });
  });

  test('does nothing where the script was cut off on the way, wherever that was', () => {
    const whole = runInput('echo first\necho second\n', 'abc123');
    for (let length = 0; length < whole.length; length++) {
      expect(run(whole.slice(0, length))).toMatchObject({ stdout: '', exitCode: undefined });
    }
    expect(run(whole)).toMatchObject({ stdout: 'first\nsecond\n', exitCode: '0' });
  });

  test('is not ended by a script that ends itself, nor told its code by one that prints marks', () => {
    expect(
      run(runInput('trap "echo bye" EXIT; echo pipeline-end-other:0 >&2; exit 4', 'abc123')),
    ).toMatchObject({
      stdout: 'bye\n',
      exitCode: '4',
    });
  });

  test('has as its output what follows its mark: a chatty shell speaks before it', () => {
    const chatty = `echo Welcome; printf 'no line end'; ${runCommand('root', 'abc123')}`;
    const { stdout } = spawnSync('sh', ['-c', chatty], {
      input: runInput('echo a', 'abc123'),
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^Welcome\nno line end/);
    expect(ownOutput(stdout, 'abc123')).toBe('a\n');
  });

  test('a script may have many more commands than a shell has room to nest', () => {
    const script = `${': x\n'.repeat(100_000)}echo end`;
    expect(run(runInput(script, 'abc123'))).toMatchObject({ stdout: 'end\n', exitCode: '0' });
  });

  test('a script with a mistake ends with its code', () => {
    const { exitCode, stderr } = run(runInput('if', 'abc123'));
    expect(exitCode).not.toBe('0');
    expect(stderr).toContain('syntax error');
  });

  test('is made root by sudo for everybody else, which never asks', () => {
    expect(runCommand('deploy', 'abc123')).toMatch(
      /^sudo -n -H -- env 'LC_ALL=C.UTF-8' 'LANGUAGE=' bash -c /,
    );
  });
});

describe('ending a run', () => {
  /**
   * Processes of this machine whose command line holds a text, which comes on standard input so that the
   * search does not find itself.
   */
  const count = (text: string) => {
    const search = 'grep -lsaFf - /proc/[0-9]*/cmdline | wc -l';
    return spawnSync('sh', ['-c', search], { input: text, encoding: 'utf8' }).stdout.trim();
  };

  let run: ChildProcess | undefined;
  afterEach(() => {
    try {
      if (run?.pid !== undefined) process.kill(-run.pid, 'SIGKILL');
    } catch {
      // It ended, as it should have.
    }
    run = undefined;
  });

  test.each([
    ['what listens to SIGTERM at once', 'sleep 22360', '22360', 1_000],
    ['what does not by force', "trap '' TERM; sleep 22361; sleep 22361", '22361', 5_000],
  ])('ends %s, with everything that it started', async (_what, script, mark, within) => {
    const token = `run${[...mark].reverse().join('')}`;
    const child = spawn('sh', ['-c', runCommand('root', token)], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    run = child;
    child.stdin.end(runInput(`(${script}) & ${script}`, token));
    await expect.poll(() => count(mark)).toBe('2');
    const started = performance.now();
    const killer = spawnSync('sh', ['-c', runCommand('root', 'killer')], {
      input: runInput(killScript(token, 1), 'killer'),
      encoding: 'utf8',
    });
    expect(endMark('killer').exec(killer.stderr.trimEnd())?.[1]).toBe('0');
    expect(performance.now() - started).toBeLessThan(within);
    await expect.poll(() => count(mark)).toBe('0');
  });

  test('of which nothing is left is nothing', () => {
    const { stdout, stderr } = spawnSync('sh', ['-c', runCommand('root', 'killer')], {
      input: runInput(killScript('nosuchrun', 1), 'killer'),
      encoding: 'utf8',
    });
    expect(ownOutput(stdout, 'killer') + stderr.trimEnd()).toBe('pipeline-end-killer:0');
  });
});
