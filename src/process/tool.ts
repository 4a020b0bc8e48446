/** Programs of this machine as commands of ours run them: traced, without secrets, ended by Ctrl-C. */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import type { Context } from '../context.ts';
import { Failure, type FailureKind } from '../errors.ts';
import { bytes } from '../format.ts';
import { redactor, secretsIn } from '../redact.ts';
import { lastLines } from './output.ts';
import { type ProcessOptions, type ProcessResult, runProcess } from './run.ts';

/** How many of a program's last lines are kept for a failure. */
const KEPT_LINES = 200;

type Passed = 'cwd' | 'input' | 'stdout' | 'stderr' | 'descriptor' | 'timeoutMs' | 'graceMs';

export interface ToolOptions extends Pick<ProcessOptions, Passed> {
  /** The whole environment of the program; default: the context's. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Every line of both outputs as it comes, without secrets. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** Leaves standard output out of traces and last lines: it is a secret, or long. */
  readonly hideOutput?: boolean | undefined;
  /** What to do where the program is not installed; default: to install Debian's package. */
  readonly ifMissing?: string | undefined;
}

export interface ToolResult {
  /** As a shell has it: 128 and the signal's number where one ended the program. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The last lines of both outputs, as they came, without secrets. */
  readonly lastLines: readonly string[];
  readonly timedOut: boolean;
}

/**
 * Runs a program to its end. A non-zero exit and a timeout are results.
 * @throws Failure kind `usage` where the program is not installed, kind `host` where it prints more than is
 *   kept; the signal's reason where the user stopped
 */
export async function runTool(
  program: string,
  args: readonly string[],
  context: Context,
  options: ToolOptions = {},
): Promise<ToolResult> {
  context.signal.throwIfAborted();
  const { onLine, hideOutput, ifMissing, ...passed } = options;
  const env = options.env ?? context.env;
  const hide = redactor(secretsIn(env));
  context.trace(hide(`$ ${[program, ...args].join(' ')}`));
  const kept: string[] = [];
  const take = (line: string) => {
    const shown = hide(line);
    context.trace(shown);
    onLine?.(shown);
    kept.push(shown);
    if (kept.length > KEPT_LINES) kept.shift();
  };
  const cwd = options.cwd ?? context.cwd;
  const onStdout = hideOutput ? undefined : take;
  const result = await runProcess(program, args, {
    ...passed,
    ...{ env, cwd, onStdout, onStderr: take, signal: context.signal },
  }).catch((error: unknown) => {
    throw isMissing(error, cwd) ? missingTool(program, ifMissing, error) : error;
  });
  context.signal.throwIfAborted();
  if (result.wasCut) throw tooMuch(program, result);
  const { stdout, stderr, timedOut } = result;
  return { exitCode: shellCode(result), stdout, stderr, lastLines: kept, timedOut };
}

/**
 * Like `runTool`, for a program that must succeed.
 * @returns its standard output
 * @throws Failure that names the step and ends with what the program printed
 */
export async function checkTool(
  step: string,
  program: string,
  args: readonly string[],
  context: Context,
  options: ToolOptions = {},
): Promise<string> {
  const result = await runTool(program, args, context, options);
  if (result.exitCode === 0) return result.stdout;
  throw toolFailure(step, program, result);
}

/** What a program prints; undefined where it is not installed or fails (its daemon does not run). */
export async function outputOf(
  program: string,
  args: readonly string[],
  context: Context,
  options: ToolOptions = {},
): Promise<string | undefined> {
  try {
    const { exitCode, stdout } = await runTool(program, args, context, {
      ...options,
      hideOutput: true,
    });
    return exitCode === 0 ? stdout : undefined;
  } catch (error) {
    if (error instanceof MissingTool) return undefined;
    throw error;
  }
}

/** The failure of a program at `step`, with its last lines. */
export function toolFailure(
  step: string,
  program: string,
  result: Pick<ToolResult, 'exitCode' | 'lastLines'>,
  kind: FailureKind = 'host',
): Failure {
  const output = lastLines(result.lastLines.join('\n'), 20);
  const why = output.at(-1) ?? 'it printed nothing';
  return new Failure(
    kind,
    `${step} failed on this machine: ${program} ended with code ${result.exitCode} (${why}).`,
    {
      step,
      output,
      next: 'Correct what the program complains about, then run the command again: it goes on from there.',
    },
  );
}

/** A program that is not installed on this machine. */
export class MissingTool extends Failure {
  readonly program: string;

  constructor(program: string, next: string, cause: unknown) {
    super('usage', `The program ${program} is not installed on this machine.`, { next, cause });
    this.program = program;
  }
}

/** Debian's packages of programs that are called otherwise. */
const PACKAGES: Readonly<Record<string, string>> = { flock: 'util-linux', ssh: 'openssh-client' };

function missingTool(program: string, next: string | undefined, cause: unknown): MissingTool {
  const install = `Install it (Debian: apt-get install ${PACKAGES[program] ?? program})`;
  return new MissingTool(program, next ?? `${install}, then run the command again.`, cause);
}

/** Whether there is no such program; a folder to start in that is missing gives the same error. */
function isMissing(error: unknown, cwd: string): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' && syscall?.startsWith('spawn') === true && existsSync(cwd);
}

function tooMuch(program: string, { stdout, stderr }: ProcessResult): Failure {
  const most = bytes(Math.max(stdout.length, stderr.length));
  return new Failure('host', `${program} printed more than ${most}, which cannot be right`, {
    output: lastLines(`${stdout}\n${stderr}`),
    next: 'Run the command again with --verbose to see what it prints.',
  });
}

function shellCode({ exitCode, endedBy }: ProcessResult): number {
  return exitCode ?? 128 + (endedBy === null ? 0 : constants.signals[endedBy]);
}
