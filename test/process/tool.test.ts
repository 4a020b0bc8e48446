import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Context, quietContext } from '../../src/context.ts';
import { checkTool, outputOf, runTool } from '../../src/process/tool.ts';

const SECRET = 's3cret-4711-x';

function traced(overrides: Partial<Context> = {}) {
  const lines: string[] = [];
  return { lines, context: quietContext({ trace: (line) => lines.push(line), ...overrides }) };
}

test('a tool is traced with what it prints, without secrets of its environment', async () => {
  const { lines, context } = traced({ env: { ...process.env, DB_PASSWORD: SECRET } });
  const result = await runTool('sh', ['-c', 'echo "out $DB_PASSWORD"; exit 3'], context);
  expect(result).toMatchObject({ exitCode: 3, stdout: `out ${SECRET}\n`, lastLines: ['out ***'] });
  expect(lines).toEqual(['$ sh -c echo "out $DB_PASSWORD"; exit 3', 'out ***']);
});

test('output that is a secret is in the result alone', async () => {
  const { lines, context } = traced();
  const result = await runTool('sh', ['-c', 'tr a-z b-za; echo oops >&2'], context, {
    input: 'rdbqds\n',
    hideOutput: true,
  });
  expect(result).toMatchObject({ stdout: 'secret\n', lastLines: ['oops'] });
  expect(lines.join('\n')).not.toContain('secret');
});

test.each([
  ['flock', 'util-linux'],
  ['made-up', 'made-up'],
])('where %s is not installed, the failure names the package', async (program, name) => {
  const failed = runTool(program, [], quietContext({ env: { PATH: '/nowhere' } }));
  await expect(failed).rejects.toMatchObject({
    kind: 'usage',
    message: `The program ${program} is not installed on this machine.`,
    next: `Install it (Debian: apt-get install ${name}), then run the command again.`,
  });
});

test('a folder that is missing is not taken for a program that is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-tool-'));
  rmSync(folder, { recursive: true });
  const failed = runTool('true', [], quietContext({ cwd: folder }));
  await expect(failed).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(failed).rejects.not.toMatchObject({ kind: 'usage' });
});

test('a tool that must succeed fails with its step, its code and its last words', async () => {
  const failed = checkTool(
    'network',
    'sh',
    ['-c', 'echo first; echo no such bridge >&2; exit 2'],
    quietContext(),
  );
  await expect(failed).rejects.toMatchObject({
    kind: 'host',
    step: 'network',
    message: 'network failed on this machine: sh ended with code 2 (no such bridge).',
  });
  expect(await checkTool('network', 'echo', ['ok'], quietContext())).toBe('ok\n');
});

test('a signal that ends a tool is its code, as a shell has it', async () => {
  expect(await runTool('sh', ['-c', 'kill -9 $$'], quietContext())).toMatchObject({ exitCode: 137 });
});

test.each([
  ['fails', ['-c', 'echo half; exit 1']],
  ['takes too long', ['-c', 'echo half; exec sleep 20']],
])('a question to a tool that %s has no answer', async (_what, args) => {
  expect(await outputOf('sh', args, quietContext(), { timeoutMs: 300 })).toBeUndefined();
});

test('a question to a tool that is not there has no answer', async () => {
  expect(await outputOf('made-up', [], quietContext())).toBeUndefined();
});

test('Ctrl-C ends a tool and its children, and is thrown', async () => {
  const stop = new AbortController();
  const context = quietContext({ signal: stop.signal });
  const reason = new Error('stopped');
  const started = performance.now();
  const running = runTool('sh', ['-c', 'echo begun; sleep 20 & wait'], context, {
    onLine: () => stop.abort(reason),
  });
  await expect(running).rejects.toBe(reason);
  expect(performance.now() - started).toBeLessThan(5_000);
  await expect(runTool('true', [], context)).rejects.toBe(reason);
});
