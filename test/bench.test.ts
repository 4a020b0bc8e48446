/** Benchmarks say what they take, and start for nothing else. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const BENCH = join(import.meta.dirname, '../bench');
const names = readdirSync(BENCH, { withFileTypes: true })
  .filter((file) => file.isDirectory() && !file.name.startsWith('.'))
  .map(({ name }) => name);

function bench(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(BENCH, 'run.mjs'), ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('a benchmark', () => {
  it('says with --help what it measures and takes', () => {
    const { status, stdout } = bench('deploy', '--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^What a deploy costs[^*]*run\.mjs deploy \[--rounds 5\] \[--rate 100\]/);
  });

  it('refuses a flag that it does not take', () => {
    expect(bench('deploy', '--round=3', '--rate', '5')).toEqual({
      status: 2,
      stdout: '',
      stderr: 'deploy takes no --round. See: node bench/run.mjs deploy --help\n',
    });
  });

  it('is one of those that are there', () => {
    const { status, stderr } = bench('deploys');
    expect(status).toBe(2);
    expect(stderr).toContain(`benchmarks: ${names.join(', ')}`);
  });

  it.each(names)('%s names every flag it reads', (name) => {
    const source = readFileSync(join(BENCH, name, 'main.ts'), 'utf8');
    const head = source.slice(0, source.indexOf('*/'));
    const options = [...source.matchAll(/(\w+): \{\s*type: '(?:string|boolean)'/g)].map(([, flag]) => flag);
    const read = [...source.matchAll(/(?:argv\.includes|flag|option|argument)\('(?:--)?(\w+)'/g)].map(
      ([, flag]) => flag,
    );
    const flags = [...options, ...read];
    expect(flags).not.toEqual([]);
    for (const flag of flags) expect(head).toContain(`--${flag}`);
  });
});
