/** Programs of this machine that make local hosts: run as root finds them, in English, under a lock. */
import type { Context } from '../../context.ts';
import {
  checkTool,
  outputOf as outputOfTool,
  runTool,
  type ToolOptions,
  type ToolResult,
} from '../../process/tool.ts';

export interface LocalToolOptions extends Pick<ToolOptions, 'input' | 'onLine'> {
  /** Handed to the program as descriptor 3, so that a lock is held until it, too, has ended. */
  readonly lock?: number | undefined;
  /** Beside the tools' own environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Milliseconds in which a tool that is asked to stop may clean up: mmdebstrap removes half a system. */
const GRACE_MS = 30_000;

/**
 * The environment of programs: this one's, English, and with the folders where root's tools are (`su` leaves
 * them out).
 */
export function toolEnvironment(context: Context): Record<string, string | undefined> {
  const path = (context.env.PATH ?? '/usr/local/bin:/usr/bin:/bin').split(':');
  const complete = [...new Set([...path, '/usr/local/sbin', '/usr/sbin', '/sbin'])].join(':');
  return { ...context.env, PATH: complete, LC_ALL: 'C' };
}

/** `runTool` for a tool of local hosts. */
export function run(
  context: Context,
  command: string,
  args: readonly string[],
  options: LocalToolOptions = {},
): Promise<ToolResult> {
  return runTool(command, args, context, forTools(context, options));
}

/** `checkTool` for a tool of local hosts. */
export function mustRun(
  context: Context,
  step: string,
  command: string,
  args: readonly string[],
  options: LocalToolOptions = {},
): Promise<string> {
  return checkTool(step, command, args, context, forTools(context, options));
}

/** `outputOf` for a tool of local hosts. */
export function outputOf(
  context: Context,
  command: string,
  args: readonly string[],
): Promise<string | undefined> {
  return outputOfTool(command, args, context, forTools(context, {}));
}

function forTools(context: Context, { lock, env, ...options }: LocalToolOptions): ToolOptions {
  return {
    ...options,
    cwd: '/',
    env: { ...toolEnvironment(context), ...env },
    descriptor: lock,
    graceMs: GRACE_MS,
    ifMissing: 'Run `pipeline doctor` to see what local hosts need and what is missing.',
  };
}
