/** What `npm test` ends with, and which files run again, on small projects of their own. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A project with these test files; `run` counts how often each was loaded. */
function project(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-vitest-'));
  folders.push(folder);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'runs'));
  writeFileSync(
    join(folder, 'vitest.config.mjs'),
    `export default { test: { reporters: [${JSON.stringify(join(ROOT, 'test/support/closing-line.ts'))}] } };`,
  );
  for (const [name, body] of Object.entries(files)) {
    writeFileSync(
      join(folder, name),
      `import { appendFileSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
appendFileSync('runs/all', '${name} ');
const run = readFileSync('runs/all', 'utf8').split('${name} ').length - 1;
${body}`,
    );
  }
  return folder;
}

interface Ended {
  readonly code: number | null;
  /** Its lines that are ours. */
  readonly lines: readonly string[];
  /** Files in the order in which they ran. */
  readonly runs: readonly string[];
}

async function run(folder: string): Promise<Ended> {
  const script = join(ROOT, 'scripts/test.mjs');
  // Those of the test that runs this one would be taken for its own.
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };
  const child = spawn(process.execPath, [script], { cwd: folder, env });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    code,
    lines: output.split('\n').filter((line) => /^(FLAKY|SKIPPED|Once more|\d+ passed)/.test(line)),
    runs: readFileSync(join(folder, 'runs/all'), 'utf8').trim().split(' ').sort(),
  };
}

const GOOD = "it('works', () => {});";
const BAD = "it('fails', () => expect(run).toBe(0));";
const SECOND = "it('works', () => {});\nit('wakes', () => expect(run).toBe(2));";

const FIRST = 'passed the second time; first: expected 1 to be 2 // Object.is equality';

describe('a run of the tests', { timeout: 60_000 }, () => {
  it('runs failed files with hosts once more, whole; names what passed only then, and what was skipped', async () => {
    const skipping = `${GOOD}\nit('is not for here', ({ skip }) => skip('no root'));`;
    const hook = `describe('hosts', () => {
  beforeAll(() => { if (run === 1) throw new Error('no boot'); });
  it('works', () => {});
});`;
    const files = { 'a.host.test.ts': SECOND, 'b.host.test.ts': hook, 'c.host.test.ts': skipping };
    expect(await run(project(files))).toEqual({
      code: 0,
      lines: [
        'Once more, on new hosts: a.host.test.ts, b.host.test.ts',
        'SKIPPED c.host.test.ts > is not for here: no root',
        `FLAKY a.host.test.ts > wakes: ${FIRST}`,
        'FLAKY b.host.test.ts: passed the second time; first: no boot',
        '4 passed, 0 failed, 1 skipped',
      ],
      runs: ['a.host.test.ts', 'a.host.test.ts', 'b.host.test.ts', 'b.host.test.ts', 'c.host.test.ts'],
    });
  });

  it('fails where a file fails again, or one without hosts, and counts each test once', async () => {
    const files = { 'a.host.test.ts': `${SECOND}\n${BAD}`, 'b.test.ts': SECOND };
    expect(await run(project(files))).toEqual({
      code: 1,
      lines: [
        'Once more, on new hosts: a.host.test.ts',
        `FLAKY a.host.test.ts > wakes: ${FIRST}`,
        '3 passed, 2 failed, 0 skipped',
      ],
      runs: ['a.host.test.ts', 'a.host.test.ts', 'b.test.ts'],
    });
  });

  it('runs nothing again where more than five files failed', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `${name}.host.test.ts`);
    const ended = await run(project(Object.fromEntries(names.map((name) => [name, SECOND]))));
    expect(ended).toEqual({ code: 1, lines: ['6 passed, 6 failed, 0 skipped'], runs: names });
  });

  it('fails where an error belongs to no test, whatever passes the second time', async () => {
    const loose = `${SECOND}\nif (run === 1) setTimeout(() => { throw new Error('loose'); });
it('waits', () => new Promise((resolve) => setTimeout(resolve, 100)));`;
    const ended = await run(project({ 'a.host.test.ts': loose }));
    expect(ended.code).toBe(1);
    expect(ended.lines.at(-1)).toBe('3 passed, 1 failed, 0 skipped');
  });
});
