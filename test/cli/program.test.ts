import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { definitions } from '../../src/cli/definitions.ts';
import { runProgram } from '../../src/cli/program.ts';

/** Runs one command line in this process and collects what it prints. */
async function run(argv: readonly string[], env: Record<string, string> = {}) {
  let stdout = '';
  let stderr = '';
  const exitCode = await runProgram(argv, {
    env,
    cwd: '/',
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    interrupted: new AbortController().signal,
  });
  return { exitCode, stdout, stderr };
}

describe('help', () => {
  it('lists every command at the top and exits 0', async () => {
    const { exitCode, stdout } = await run(['--help']);
    expect(exitCode).toBe(0);
    for (const { path } of Object.values(definitions)) expect(stdout).toContain(path.split(' ')[0]);
    expect(stdout).toContain('Exit codes');
  });

  it.each(Object.values(definitions).map(({ path, summary }) => [path, summary]))(
    'of `%s` says what it does',
    async (path, summary) => {
      const { exitCode, stdout } = await run([...path.split(' '), '--help']);
      expect(exitCode).toBe(0);
      expect(stdout.toLowerCase().replaceAll(/\s+/g, ' ')).toContain(summary.toLowerCase());
      expect(stdout).toContain('--json');
    },
  );
});

describe('wrong usage exits 2, says why and what to do', () => {
  it.each([
    ['an unknown command', ['deplyo'], 'deplyo', 'Did you mean deploy?'],
    ['an unknown command of a group', ['prod', 'upp'], 'upp', 'Did you mean up?'],
    ['an unknown command, asked for its help', ['deplyo', '--help'], 'deplyo', 'Did you mean deploy?'],
    ['an unknown command of a group, asked for its help', ['prod', 'upp', '-h'], 'upp', 'Did you mean up?'],
    ['help of an unknown command', ['help', 'deplyo'], 'deplyo', 'Did you mean deploy?'],
    ['an unknown option', ['prod', 'up', '--provder', 'local'], '--provder', '--provider'],
    ['a missing argument', ['deploy'], 'app', '--help'],
    ['no source of values', ['judge', 'serve'], 'where the values come from', '--prometheus'],
    [
      'an address that is none',
      ['judge', 'serve', '--prometheus', 'http://127.0.0.1:1', '--listen', 'here'],
      '"here" is not an address',
      '127.0.0.1:8090',
    ],
    [
      'a folder that is none',
      ['judge', 'serve', '--prometheus', 'http://127.0.0.1:1', '--configs', '/nowhere'],
      '/nowhere cannot be read',
      '--configs',
    ],
    ['a file that is none beside a command', ['judge', 'serv'], '/serv cannot be read', 'report.json'],
    ['a choice that is none', ['prod', 'up', '--provider', 'aws'], 'aws', '--help'],
    [
      'hosts that are there and a provider',
      ['prod', 'up', '-i', 'x', '--provider', 'local'],
      '--provider',
      'one of',
    ],
    ['a number that is none', ['canary', 'a', 'b', '--rate', 'fast'], '"fast" is not a number', 'exit 2'],
    ['a multiple of nothing', ['canary', 'a', 'b', '--rate', 'x2'], 'there is none', '--replay'],
    [
      'a duration that is none',
      ['canary', 'a', 'b', '--duration', 'long'],
      '"long" is not a duration',
      'Write it like',
    ],
    ['no command', [], 'which command', '--help'],
    ['a group without a command', ['prod'], 'which command', 'pipeline prod --help'],
    ['an argument too many', ['releases', 'a', 'b'], 'too many arguments', 'pipeline releases --help'],
  ])('%s', async (_title, argv, message, next) => {
    const { exitCode, stdout, stderr } = await run(argv);
    expect(exitCode).toBe(2);
    expect(stderr).toBe('');
    expect(stdout).toContain('error: ');
    expect(stdout).toContain(message);
    expect(stdout).toContain(next);
  });

  it('prints one JSON document on standard output with --json, and the text on standard error', async () => {
    const { exitCode, stdout, stderr } = await run(['deploy', '--json']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('error: ');
    expect(JSON.parse(stdout)).toMatchObject({
      error: { kind: 'usage', host: null, step: null },
      exitCode: 2,
    });
  });
});

it('prints its version', async () => {
  const { exitCode, stdout } = await run(['--version']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

describe('secrets', () => {
  const CANARY = 'canary-s3cret-7731';

  it.each([[[]], [['--json']], [['--verbose']]])('stand in no failure and no trace %j', async (flags) => {
    const folder = mkdtempSync(join(tmpdir(), 'pipeline-canary-secrets-'));
    try {
      const source = `http://ann:${CANARY}@127.0.0.1:1/shop.git`;
      const text =
        `project: shop\nhosts: { web: { roles: [nginx] } }\napps:\n  shop: { source: "${source}", ` +
        'hosts: [web] }\n';
      writeFileSync(join(folder, 'pipeline.yml'), text);
      const env = { PATH: process.env.PATH ?? '', XDG_CACHE_HOME: folder, DEPLOY_TOKEN: CANARY };
      const config = ['--config', join(folder, 'pipeline.yml')];
      const { exitCode, stdout, stderr } = await run(['build', 'shop', ...config, ...flags], env);
      expect(exitCode).toBe(3);
      expect(stdout + stderr).toContain('http://***@127.0.0.1:1/shop.git');
      expect(stdout + stderr).not.toContain(CANARY);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
