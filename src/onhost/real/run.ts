/** Programs of the host. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end, without a shell. @throws if there is no such program. */
export function run(
  program: string,
  args: readonly string[],
  options: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    // Its own process group: the operator's Ctrl-C must not end half of what undoes a release.
    const child = spawn(program, args, {
      detached: true,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    });
    let out = '';
    let err = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 255, out, err }));
    // A program that exits without reading its input says why by its code.
    child.stdin?.on('error', () => {}).end(options.input);
  });
}

/** Runs a program that has our own input and outputs. @returns its exit code, as a shell has it. */
export function attached(program: string, ...args: readonly string[]): Promise<number> {
  // Whoever goes away ends the program, if anything; how it ended is told all the same.
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => {});
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGTERM']));
  });
}
