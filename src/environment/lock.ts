/** One writer for each environment: a lock that lives on a host and dies with its holder. */
import { hostname } from 'node:os';
import * as z from 'zod';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { Connection } from '../ssh/connection.ts';
import { withValues } from '../ssh/script.ts';
import { whoami } from './audit.ts';
import lockProgram from './lock.sh' with { type: 'text' };

export interface LockOptions {
  /** What it is held for, e.g. `pipeline deploy checkbox.io`. */
  readonly command: string;
  /** Who holds it; default: see `whoami`. */
  readonly holder?: string | undefined;
  /** Wait for another holder instead of failing; milliseconds, `true` for as long as it takes. */
  readonly wait?: boolean | number | undefined;
}

const holderSchema = z.object({
  by: z.string(),
  command: z.string(),
  /** ISO 8601 in UTC. */
  at: z.string(),
  machine: z.string(),
  pid: z.int(),
});
type Holder = z.output<typeof holderSchema>;

/** A holder on this machine that has ended: its lock goes when the host notices, within a second or two. */
const DEAD_HOLDER_MS = 10_000;

/** Which host keeps an environment's lock: `monitor` where there is one, else the first. */
export function lockHost<H extends { readonly name: string }>(hosts: readonly H[]): H | undefined {
  return hosts.find(({ name }) => name === 'monitor') ?? hosts[0];
}

/**
 * Waits for the lock and holds it: the kernel's (flock), so it cannot outlive this process on the host, which
 * writes every second and ends when nobody reads any more. Below /run, so a reboot ends it too.
 */
function lockScript(holder: Holder): string {
  return withValues(lockProgram, { holder: JSON.stringify(holder) });
}

/**
 * Runs `work` while holding the environment's lock on that host. `work` is given a context whose signal is
 * also aborted when the lock is lost (the host went away), so that it stops before anybody else begins.
 * @throws Failure kind `locked` with holder, command and since when.
 */
export async function withLock<T>(
  connection: Connection,
  options: LockOptions,
  context: Context,
  work: (context: Context) => Promise<T>,
): Promise<T> {
  const host = connection.target.name;
  const end = new AbortController();
  const lost = new AbortController();
  const started = context.now();
  const own: Holder = {
    by: options.holder ?? whoami(context),
    command: options.command,
    at: started.toISOString(),
    machine: hostname(),
    pid: process.pid,
  };
  let refuse: ReturnType<typeof setTimeout> | undefined;
  let waited = false;
  let held: Promise<unknown> = Promise.resolve();
  const acquired = new Promise<void>((resolve, reject) => {
    const onStdout = (line: string) => {
      if (line === 'locked') resolve();
      if (!line.startsWith('held ')) return;
      const other = readHolder(line.slice(5));
      waited = true;
      context.progress({
        host,
        stage: 'lock',
        state: 'running',
        detail: other === undefined ? '' : describe(other),
      });
      const patience = Math.max(
        options.wait === true ? Number.POSITIVE_INFINITY : Number(options.wait ?? 0),
        other !== undefined && hasEnded(other) ? DEAD_HOLDER_MS : 0,
      );
      clearTimeout(refuse);
      if (patience < Number.POSITIVE_INFINITY) {
        const left = started.getTime() + patience - context.now().getTime();
        refuse = setTimeout(() => reject(lockedBy(other, host, options)), Math.max(0, left));
      }
    };
    held = connection
      .script(lockScript(own), {
        label: 'lock',
        timeoutMs: Number.POSITIVE_INFINITY,
        signal: end.signal,
        onStdout,
      })
      .then(({ exitCode, stderr }) => {
        const said = stderr.trim();
        return new Failure('host', `${host}: the lock was lost (exit ${exitCode})`, {
          host,
          step: 'lock',
          output: said === '' ? [] : [said],
          next: 'See whether the host is well (pipeline prod status), then run the command again.',
        });
      })
      .catch((error: unknown) => error)
      .then((reason) => {
        reject(reason);
        if (!end.signal.aborted) lost.abort(reason);
      });
  });
  try {
    await acquired;
    clearTimeout(refuse);
    if (waited) context.progress({ host, stage: 'lock', state: 'done' });
    return await work({ ...context, signal: AbortSignal.any([context.signal, lost.signal]) });
  } finally {
    clearTimeout(refuse);
    end.abort(new Error('the lock is given back'));
    await held;
  }
}

function readHolder(text: string): Holder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function describe(holder: Holder): string {
  return `${holder.by} holds it for "${holder.command}" since ${holder.at}`;
}

/** Whether the holder ran on this machine and runs no more. */
function hasEnded(holder: Holder): boolean {
  if (holder.machine !== hostname()) return false;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function lockedBy(holder: Holder | undefined, host: string, options: LockOptions): Failure {
  const who =
    holder === undefined
      ? 'somebody else holds the lock'
      : describe(holder).replace('holds it', 'holds the lock');
  return new Failure('locked', `${host}: ${who}`, {
    host,
    step: 'lock',
    next: `Wait for it: ${options.command} --wait. When its holder dies, the lock ends by itself.`,
  });
}
