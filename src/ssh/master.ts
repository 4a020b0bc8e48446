/** The multiplexing master: one authenticated connection to a host that every command goes over. */
import { spawn } from 'node:child_process';
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
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Unix sockets take 108 bytes on Linux and 104 on macOS; ssh first binds a name that is 17 characters longer. */
const LONGEST_SOCKET = 104 - 1 - 17;

const PREFIX = 'pipeline-ssh-';

/** A private folder (0700) for one control socket. Its name carries our process id, so that a later run can tell what was left behind. */
export function makeSocketFolder(base: string = tmpdir()): string {
  const name = `${PREFIX}${process.pid}-`;
  const longest = join(base, `${name}XXXXXX`, 's');
  const parent = Buffer.byteLength(longest) <= LONGEST_SOCKET ? base : '/tmp';
  removeEmptyFolders(parent);
  return mkdtempSync(join(parent, name));
}

/**
 * Folders of programs that were killed. Their masters ended by themselves and removed their sockets; only an empty folder is left, and only an
 * empty one is removed.
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

export interface MasterResult {
  /** 0: the master stands, in the background. null: it was ended, by `signal`. */
  readonly exitCode: number | null;
  readonly stderr: string;
}

/**
 * Starts a master and resolves when it has signed in (it then goes to the background) or failed. Its standard error is a file that has no name any
 * more, never a pipe: the background master would hold a pipe open and whoever reads it would wait for the master's end.
 * @throws the error of `spawn` (ENOENT: no ssh program).
 */
export async function startMaster(
  program: string,
  args: readonly string[],
  folder: string,
  options: { readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal },
): Promise<MasterResult> {
  const path = join(folder, 'e');
  const file = openSync(path, 'w+', 0o600);
  rmSync(path);
  try {
    const child = spawn(program, args, {
      env: options.env,
      stdio: ['ignore', 'ignore', file],
      detached: true,
    });
    const kill = () => child.kill('SIGKILL');
    options.signal.addEventListener('abort', kill, { once: true });
    if (options.signal.aborted) kill();
    try {
      const exitCode = await new Promise<number | null>((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', resolve);
      });
      return { exitCode, stderr: readStart(file) };
    } finally {
      options.signal.removeEventListener('abort', kill);
    }
  } finally {
    closeSync(file);
  }
}

/** What a failing ssh prints fits many times. */
function readStart(file: number): string {
  const buffer = Buffer.alloc(64 * 1024);
  return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, 0));
}

/** The socket of a master in its folder. */
export function socketIn(folder: string): string {
  return join(folder, 's');
}

/** Whether a master stands: it removes its socket when it ends. */
export function masterStands(folder: string): boolean {
  return existsSync(socketIn(folder));
}
