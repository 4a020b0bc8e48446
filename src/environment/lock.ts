/** One writer for each environment: a lock that lives on a host and dies with its holder. */
import { hostname } from 'node:os';
import * as z from 'zod';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { Connection, RunResult } from '../ssh/connection.ts';
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
  const lock = new HostLock(connection, options, context);
  try {
    await lock.acquired;
    return await work({ ...context, signal: AbortSignal.any([context.signal, lock.lost]) });
  } finally {
    await lock.release();
  }
}

/** The lock, asked for, held or given back: a script on the host that runs for as long. */
class HostLock {
  /** Rejects where somebody else keeps it, and where the script fails. */
  readonly acquired: Promise<void>;
  readonly #connection: Connection;
  readonly #options: LockOptions;
  readonly #context: Context;
  readonly #started: Date;
  readonly #end = new AbortController();
  readonly #lost = new AbortController();
  /** Settles when the script has ended. */
  readonly #held: Promise<void>;
  #refusal: ReturnType<typeof setTimeout> | undefined;
  #waited = false;

  constructor(connection: Connection, options: LockOptions, context: Context) {
    this.#connection = connection;
    this.#options = options;
    this.#context = context;
    this.#started = context.now();
    const { promise, resolve, reject } = deferred();
    this.acquired = promise;
    this.#held = this.#hold(resolve, reject);
  }

  /** Aborted when the lock is lost before it is given back. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    clearTimeout(this.#refusal);
    this.#end.abort(new Error('the lock is given back'));
    await this.#held;
  }

  async #hold(acquire: () => void, refuse: (reason: unknown) => void): Promise<void> {
    const own = holderOf(this.#options, this.#context, this.#started);
    const onStdout = (line: string) => {
      if (line === 'locked') {
        this.#onLocked();
        acquire();
      } else if (line.startsWith('held ')) this.#onOther(readHolder(line.slice(5)), refuse);
    };
    const run = { label: 'lock', timeoutMs: Number.POSITIVE_INFINITY, signal: this.#end.signal, onStdout };
    const reason = await this.#connection.script(lockScript(own), run).then(
      (result) => lostBy(this.#connection.target.name, result),
      (error: unknown) => error,
    );
    refuse(reason);
    if (!this.#end.signal.aborted) this.#lost.abort(reason);
  }

  #onLocked(): void {
    clearTimeout(this.#refusal);
    const host = this.#connection.target.name;
    if (this.#waited) this.#context.progress({ host, stage: 'lock', state: 'done' });
  }

  /** Somebody else has it: waits for as long as is wanted. */
  #onOther(other: Holder | undefined, refuse: (reason: unknown) => void): void {
    const host = this.#connection.target.name;
    const detail = other === undefined ? '' : describe(other);
    this.#waited = true;
    this.#context.progress({ host, stage: 'lock', state: 'running', detail });
    clearTimeout(this.#refusal);
    const patience = patienceWith(other, this.#options);
    if (patience === Number.POSITIVE_INFINITY) return;
    const left = this.#started.getTime() + patience - this.#context.now().getTime();
    const failure = lockedBy(other, host, this.#options);
    this.#refusal = setTimeout(() => refuse(failure), Math.max(0, left));
  }
}

function deferred() {
  let resolve: () => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function holderOf(options: LockOptions, context: Context, started: Date): Holder {
  return {
    by: options.holder ?? whoami(context),
    command: options.command,
    at: started.toISOString(),
    machine: hostname(),
    pid: process.pid,
  };
}

/** Milliseconds from the beginning on. */
function patienceWith(other: Holder | undefined, { wait }: LockOptions): number {
  return Math.max(
    wait === true ? Number.POSITIVE_INFINITY : Number(wait ?? 0),
    other !== undefined && hasEnded(other) ? DEAD_HOLDER_MS : 0,
  );
}

/** The script ended by itself: the host went away, or somebody ended it there. */
function lostBy(host: string, { exitCode, stderr }: RunResult): Failure {
  const said = stderr.trim();
  return new Failure('host', `${host}: the lock was lost (exit ${exitCode})`, {
    host,
    step: 'lock',
    output: said === '' ? [] : [said],
    next: 'See whether the host is well (pipeline prod status), then run the command again.',
  });
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
