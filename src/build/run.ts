/** Programs that a build runs on this machine: git, npm, tar. */
import { execa } from 'execa';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { redactor, secretsIn } from '../redact.ts';

/** How many of a program's last lines are kept for a failure. */
const KEPT_LINES = 200;

export interface RunOptions {
  readonly cwd?: string | undefined;
  /** The whole environment of the program; default: the context's. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Every line of both outputs as it comes, without secrets. */
  readonly onLine?: ((line: string) => void) | undefined;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  /** The last lines of both outputs, as they came, without secrets. */
  readonly lastLines: readonly string[];
}

/**
 * Runs a program to its end, in a process group of its own, so that an abort ends its children too. A
 * non-zero exit is a result.
 * @throws Failure kind `usage` where the program is not installed; the signal's reason where the user
 *   stopped.
 */
export async function run(
  program: string,
  args: readonly string[],
  context: Context,
  options: RunOptions = {},
): Promise<RunResult> {
  context.signal.throwIfAborted();
  const hide = redactor(secretsIn(options.env ?? context.env));
  context.trace(hide(`$ ${[program, ...args].join(' ')}`));
  const child = execa(program, args, {
    cwd: options.cwd ?? context.cwd,
    env: options.env ?? context.env,
    extendEnv: false,
    stdin: 'ignore',
    detached: true,
    cleanup: false,
    reject: false,
    all: true,
    maxBuffer: 64 * 1024 ** 2,
  });
  const stop = () => endGroup(child.pid);
  context.signal.addEventListener('abort', stop, { once: true });
  const lastLines: string[] = [];
  try {
    for await (const line of child.iterable({ from: 'all' })) {
      const shown = hide(line);
      context.trace(shown);
      options.onLine?.(shown);
      lastLines.push(shown);
      if (lastLines.length > KEPT_LINES) lastLines.shift();
    }
    const result = await child;
    context.signal.throwIfAborted();
    if (result.code === 'ENOENT' && result.exitCode === undefined) throw missing(program);
    return { exitCode: result.exitCode ?? 128, stdout: result.stdout, lastLines };
  } finally {
    context.signal.removeEventListener('abort', stop);
  }
}

/** Asks the group to end, and makes it end after 3 seconds. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  const send = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  send('SIGTERM');
  setTimeout(() => send('SIGKILL'), 3_000).unref();
}

function missing(program: string): Failure {
  return new Failure('usage', `The program ${program} is not installed on this machine.`, {
    next: `Install it (Debian: apt-get install ${program === 'flock' ? 'util-linux' : program}), then run the command again.`,
  });
}
