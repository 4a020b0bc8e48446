/** Runs programs of this machine. */
import { spawn } from 'node:child_process';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';

export interface RunOptions {
  readonly input?: string | undefined;
  /** Handed to the program as descriptor 3, so that a lock is held until it, too, has ended. */
  readonly lock?: number | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of programs: this one's, English, and with the folders where root's tools are (`su` leaves them out). */
export function toolEnvironment(context: Context): Record<string, string | undefined> {
  const path = (context.env.PATH ?? '/usr/local/bin:/usr/bin:/bin').split(':');
  const complete = [...new Set([...path, '/usr/local/sbin', '/usr/sbin', '/sbin'])].join(':');
  return { ...context.env, PATH: complete, LC_ALL: 'C' };
}

/**
 * Runs a program to its end. Any exit code is a result.
 * @throws Failure kind `usage` where the program does not exist; `signal.reason` after an abort (the program's process group is ended).
 */
export async function run(
  context: Context,
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  context.signal.throwIfAborted();
  context.trace(`$ ${[command, ...args].join(' ')}`);
  const child = spawn(command, args, {
    cwd: '/',
    env: { ...toolEnvironment(context), ...options.env },
    // a group of its own, so that an abort reaches the program's children too
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', options.lock ?? 'ignore'],
  });
  const abort = () => {
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGTERM');
  };
  context.signal.addEventListener('abort', abort, { once: true });
  try {
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      let rest = '';
      child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
        output[name] += chunk;
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) options.onLine?.(line);
      });
    }
    // a program that does not read its input is no error of ours
    child.stdin?.on('error', () => {}).end(options.input ?? '');
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject).on('close', (status, signal) => resolve(status ?? (signal ? 128 : 1)));
    });
    context.signal.throwIfAborted();
    return { code, ...output };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Failure('usage', `This machine has no program ${command}, which local hosts need.`, {
      next: 'Run `pipeline doctor` to see what is missing.',
      cause: error,
    });
  } finally {
    context.signal.removeEventListener('abort', abort);
  }
}

/** Like `run`; an exit code other than 0 is a Failure that names the step and ends with what the program printed. */
export async function mustRun(
  context: Context,
  step: string,
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const result = await run(context, command, args, options);
  if (result.code === 0) return result.stdout;
  throw programFailure(step, command, result);
}

/** Output of a program; undefined where it is not installed or fails (e.g. asks a daemon that does not run). */
export async function outputOf(
  context: Context,
  command: string,
  args: readonly string[],
): Promise<string | undefined> {
  try {
    const result = await run(context, command, args);
    return result.code === 0 ? result.stdout : undefined;
  } catch (error) {
    if (error instanceof Failure && error.kind === 'usage') return undefined;
    throw error;
  }
}

/** The failure of a program at `step`. */
export function programFailure(step: string, command: string, result: RunResult): Failure {
  const output = lastLines(result.stderr || result.stdout);
  const why = output.at(-1) ?? 'it printed nothing';
  return new Failure(
    'host',
    `${step} failed on this machine: ${command} ended with code ${result.code} (${why}).`,
    {
      step,
      output,
      next: 'Mend what the program complains about and run the command again: it takes up where it stopped.',
    },
  );
}

/** The last 20 lines that are not empty. */
export function lastLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-20);
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
