/**
 * Whether new firewall rules let us in: asked with a new connection, since they leave a standing one alone.
 */

import type { Context } from '../context.ts';
import { runProcess } from '../process/run.ts';
import type { Connection } from '../ssh/connection.ts';
import { quote } from '../ssh/quote.ts';
import { tryLimit } from './patience.ts';

/**
 * Tries a second connection, twice. The host takes its rules back after `confirmSeconds`.
 * @returns undefined: it came through, else what ssh says
 */
export async function tryConnection(
  connection: Connection,
  confirmSeconds: number,
  context: Context,
): Promise<string | undefined> {
  let message = '';
  for (let attempt = 0; attempt < 2; attempt++) {
    // The first value of an option counts: no sharing of the connection that stands.
    const args = ['-o', 'ControlMaster=no', '-o', 'ControlPath=none', ...connection.sshArguments(), 'true'];
    const { exitCode, stderr } = await runProcess('ssh', args, {
      env: { ...context.env, LC_ALL: 'C' },
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(tryLimit(confirmSeconds))]),
    });
    context.signal.throwIfAborted();
    if (exitCode === 0) return undefined;
    message = reasonOf(exitCode, stderr);
  }
  return message;
}

/** Why a try failed, in ssh's own last words where it has some; never empty. */
export function reasonOf(exitCode: number | null, stderr: string): string {
  const said = stderr.trim().split('\n').at(-1);
  if (exitCode === null) return said ? `no answer in time, after: ${said}` : 'no answer in time';
  return said || `ssh ended with exit code ${exitCode} and said nothing`;
}

/** Tells the host that the rules of a table may stay. */
export async function confirmFirewall(
  connection: Connection,
  table: string,
  confirmSeconds: number,
  context: Context,
): Promise<void> {
  await connection.check(`: >${quote(`/run/pipeline/firewall-${table}/confirmed`)}`, {
    label: 'confirm the firewall',
    signal: context.signal,
    // the host waits no longer
    timeoutMs: confirmSeconds * 1000,
  });
}
