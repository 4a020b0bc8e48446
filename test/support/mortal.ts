/** Programs that a test starts and that must not outlive it. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

/**
 * As `spawn`; the kernel kills the program when the test's own process ends, whatever ended it
 * (PR_SET_PDEATHSIG).
 */
export function spawnMortal(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], options);
}
