/** The multiplexing master: one authenticated connection to a host that every command goes over. */
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProcess } from '../process/run.ts';
import type { SshTarget } from './connection.ts';
import { ConnectionFailure, connectionFailure } from './failures.ts';

export interface MasterOptions {
  readonly target: SshTarget;
  /** The ssh program. */
  readonly program: string;
  /** Options and destination that reach the target; `openedMs`: how long it took before, where it did. */
  readonly args: (openedMs: number | undefined) => readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Seconds that the master outlives its last command where nobody closes it. */
  readonly persistSeconds: number;
  /** Milliseconds after which signing in is given up. */
  readonly limitMs: (openedMs: number | undefined) => number;
  /**
   * A host that takes the connection and says nothing gets one more try, as if it had taken so long before.
   */
  readonly longestMs?: number | undefined;
  /** Called before that try. */
  readonly onSlow: () => void;
  /** Ends the opening. */
  readonly signal: AbortSignal;
}

/** The shared connection. Opened by whoever needs it first, and again where it has ended. */
export class Master {
  readonly #options: MasterOptions;
  /** The folder with the control socket, while a master stands or is being started. */
  #opening: Promise<string> | undefined;
  #openedMs: number | undefined;

  constructor(options: MasterOptions) {
    this.#options = options;
  }

  /**
   * Arguments for ssh that make it a client of the master, which stands then. Callers at the same time share
   * one opening.
   * @throws ConnectionFailure; `signal.reason`
   */
  async client(signal: AbortSignal): Promise<readonly string[]> {
    const before = this.#opening;
    if (before !== undefined) {
      const folder = await untilAborted(before, signal);
      if (existsSync(socketIn(folder))) return clientArguments(folder);
      // It ended, and removed its socket: the host restarted, or nothing was run for long.
      if (this.#opening === before) await this.close();
    }
    if (this.#opening === undefined) {
      const opening = this.#start();
      this.#opening = opening;
      opening.catch(() => {
        if (this.#opening === opening) this.#opening = undefined;
      });
    }
    return clientArguments(await untilAborted(this.#opening, signal));
  }

  /** Milliseconds that the slowest opening took, if there was one. */
  get openedMs(): number | undefined {
    return this.#openedMs;
  }

  /** Whether it stands and answers. */
  async answers(): Promise<boolean> {
    const folder = await this.#opening?.catch(() => undefined);
    return folder !== undefined && this.#ask(folder, 'check');
  }

  /** Ends it. Safe to call twice; never throws. */
  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    const folder = await opening?.catch(() => undefined);
    if (folder === undefined) return;
    await this.#ask(folder, 'exit');
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }

  async #start(): Promise<string> {
    const { longestMs, onSlow } = this.#options;
    try {
      return await this.#open(this.#openedMs);
    } catch (error) {
      const slow = error instanceof ConnectionFailure && error.reason === 'slow';
      if (!slow || longestMs === undefined || longestMs <= (this.#openedMs ?? 0)) throw error;
      onSlow();
      return this.#open(longestMs);
    }
  }

  async #open(before: number | undefined): Promise<string> {
    const { target, program, env, persistSeconds } = this.#options;
    const args = this.#options.args(before);
    const folder = makeSocketFolder();
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), this.#options.limitMs(before));
    const began = performance.now();
    const persist = ['-M', '-N', '-o', `ControlPersist=${persistSeconds}`, '-o', 'RemoteCommand=none'];
    try {
      const signal = AbortSignal.any([this.#options.signal, limit.signal]);
      const all = [...persist, '-S', socketArgument(folder), ...args];
      const { exitCode, stderr } = await startMaster(program, all, folder, { env, signal });
      this.#options.signal.throwIfAborted();
      if (exitCode === 0) {
        this.#openedMs = Math.max(this.#openedMs ?? 0, performance.now() - began);
        return folder;
      }
      throw connectionFailure(target, { stderr, exitCode, connected: false });
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? missingClient(program) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(folder: string, question: 'check' | 'exit'): Promise<boolean> {
    if (!existsSync(socketIn(folder))) return false;
    const { target, program, env } = this.#options;
    const args = ['-S', socketArgument(folder), '-O', question, '--', target.address];
    return runProcess(program, args, { env, timeoutMs: 2_000 }).then(
      ({ exitCode }) => exitCode === 0,
      () => false,
    );
  }
}

/** `-T` and `RemoteCommand`: whatever the user's configuration says for people must not reach programs. */
function clientArguments(folder: string): readonly string[] {
  return ['-S', socketArgument(folder), '-T', '-o', 'ControlMaster=no', '-o', 'RemoteCommand=none'];
}

function missingClient(program: string): ConnectionFailure {
  return new ConnectionFailure('client', `the program ${program} is not installed`, {
    next: 'Install the OpenSSH client: apt-get install openssh-client.',
  });
}

/** What others wait for too, awaited by one who may leave earlier. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

/**
 * Resolves when the master has signed in (it then goes to the background: exit code 0) or failed; null where
 * `signal` ended it. Its standard error is a file that has no name any more, never a pipe: the background
 * master would hold a pipe open, and who reads it would wait for its end.
 */
async function startMaster(
  program: string,
  args: readonly string[],
  folder: string,
  { env, signal }: { readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal },
): Promise<{ readonly exitCode: number | null; readonly stderr: string }> {
  const path = join(folder, 'e');
  const file = openSync(path, 'w+', 0o600);
  rmSync(path);
  try {
    const outlets = { stdout: 'nowhere', stderr: file } as const;
    const { exitCode } = await runProcess(program, args, { env, signal, graceMs: 0, ...outlets });
    return { exitCode, stderr: readStart(file) };
  } finally {
    closeSync(file);
  }
}

/** What a failing ssh prints fits many times. */
function readStart(file: number): string {
  const buffer = Buffer.alloc(64 * 1024);
  return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, 0));
}

/**
 * Unix sockets take 108 bytes on Linux and 104 on macOS; ssh first binds a name that is 17 characters longer.
 */
const LONGEST_SOCKET = 104 - 1 - 17;

const PREFIX = 'pipeline-ssh-';

/**
 * A private folder (0700) for one control socket. Its name carries our process id, so that a later run can
 * tell what was left behind.
 */
export function makeSocketFolder(base: string = tmpdir()): string {
  const name = `${PREFIX}${process.pid}-`;
  const longest = socketIn(join(base, `${name}XXXXXX`));
  const parent = Buffer.byteLength(longest) <= LONGEST_SOCKET ? base : '/tmp';
  removeEmptyFolders(parent);
  return mkdtempSync(join(parent, name));
}

function socketIn(folder: string): string {
  return join(folder, 's');
}

/** ssh expands `%` in the path of a control socket. */
function socketArgument(folder: string): string {
  return socketIn(folder).replaceAll('%', '%%');
}

/**
 * Folders of programs that were killed. Their masters ended by themselves and removed their sockets; only an
 * empty folder is left, and only an empty one is removed.
 */
function removeEmptyFolders(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : Number.NaN;
    if (!Number.isInteger(pid) || isAlive(pid)) continue;
    try {
      rmdirSync(join(parent, name));
    } catch {
      // Another user's, or its master lives on for some seconds: whoever comes later removes it.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
