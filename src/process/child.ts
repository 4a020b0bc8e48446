/** Where we start other programs: each in a process group of its own, so that all of it can be ended. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

export interface Launch {
  /** The whole environment: nothing is inherited beside it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string | undefined;
  readonly stdio: StdioOptions;
  /**
   * Leaves the program in our own process group, where the terminal reaches it: what reads from the terminal
   * is stopped by the kernel in any other. Ctrl-C then reaches it too.
   */
  readonly inForeground?: boolean | undefined;
}

/**
 * Starts a program. Its group of its own keeps Ctrl-C in the terminal to us, who then end it in order.
 * An error of the start (ENOENT) comes as the child's `error` event.
 */
export function launch(program: string, args: readonly string[], options: Launch): ChildProcess {
  const { env, cwd, stdio, inForeground = false } = options;
  return spawn(program, args, { cwd, env: { ...env }, stdio, detached: !inForeground });
}

/**
 * Starts a program that is not waited for here, and resolves once it runs.
 * @throws the error of the start: ENOENT where there is no such program
 */
export async function startProcess(
  program: string,
  args: readonly string[],
  options: Omit<Launch, 'inForeground'>,
): Promise<ChildProcess> {
  const child = launch(program, args, options);
  await once(child, 'spawn');
  return child;
}

/** How long a program may take to end after SIGTERM. */
export const GRACE_MS = 2_000;

const LOOK_AGAIN_MS = 20;

/** Sends SIGTERM to the whole group of a child of `launch`, and SIGKILL to what is left after the grace. */
export async function endGroup(child: ChildProcess, graceMs = GRACE_MS): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  const end = performance.now() + graceMs;
  for (let isThere = signalGroup(pid, 'SIGTERM'); isThere; isThere = signalGroup(pid, 0)) {
    if (performance.now() >= end) {
      signalGroup(pid, 'SIGKILL');
      return;
    }
    await delay(LOOK_AGAIN_MS);
  }
}

/** Like `endGroup`, for a program in our own group, of which it alone is ended. */
export async function endAlone(child: ChildProcess, graceMs = GRACE_MS): Promise<void> {
  child.kill('SIGTERM');
  const end = performance.now() + graceMs;
  while (!hasEnded(child)) {
    if (performance.now() >= end) {
      child.kill('SIGKILL');
      return;
    }
    await delay(LOOK_AGAIN_MS);
  }
}

/** Whether it is gone itself; children of it may be left, and hold its pipes. */
export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** @returns whether the group has a process left. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return false;
    // Somebody else's by now (sudo), or on macOS one that nobody has waited for.
    if (code === 'EPERM') return true;
    throw error;
  }
}
