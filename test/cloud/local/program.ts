import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import type { EnvironmentSpec } from '../../../src/cloud/provider.ts';

/** The program of `test/support/local-program.ts`, bundled. */
export interface Program {
  readonly file: string;
  /** Runs it to its end. */
  run(verb: 'up' | 'destroy', spec: EnvironmentSpec, options?: RunOptions): Promise<Ended>;
  remove(): void;
}

export interface RunOptions {
  /** Called for each line that it prints. */
  readonly onLine?: (line: string, child: ChildProcess) => void;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly string[];
  readonly errors: string;
}

export async function bundleProgram(): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'pipeline-program-'));
  const file = join(folder, 'program.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, '../../support/local-program.ts')],
    bundle: true,
    outfile: file,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  });
  return {
    file,
    run: (verb, spec, options) => run(file, verb, spec, options),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

async function run(
  file: string,
  verb: string,
  spec: EnvironmentSpec,
  { onLine, env }: RunOptions = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [file, verb, JSON.stringify(spec)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => {
    lines.push(line);
    onLine?.(line, child);
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    // not `close`: programs that it started may hold its output longer than it lives
    child.once('exit', (code, signal) => resolve({ code, signal, lines, errors }));
  });
}
