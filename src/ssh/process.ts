/** One child process with its output in lines, a limit in time, and an end that always comes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as delay } from 'node:timers/promises';

export interface ProcessOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Feeds standard input; resolves when all was handed over. Errors of the pipe (the process ended early) are
   * not errors.
   */
  readonly input?: ((stdin: NodeJS.WritableStream) => Promise<void>) | undefined;
  readonly onStdout?: ((line: string) => void) | undefined;
  readonly onStderr?: ((line: string) => void) | undefined;
  /** Ends the process (SIGTERM, then SIGKILL). */
  readonly signal: AbortSignal;
}

export interface ProcessResult {
  /** Exit code; null where a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How long a process may take to end after SIGTERM. */
const KILL_AFTER_MS = 2_000;

/**
 * Runs a program in a process group of its own, so that Ctrl-C in the terminal reaches this program only,
 * which then ends the child in order.
 * @throws the error of `spawn` (ENOENT), of `input`, or of a line callback. An abort is not thrown: the
 *   result has exit code null.
 */
export async function runProcess(
  file: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<ProcessResult> {
  const child = spawn(file, args, {
    env: { ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown) => {
    failure ??= { error };
    onAbort();
  };
  const stdout = collect(child.stdout, options.onStdout, fail);
  const stderr = collect(child.stderr, options.onStderr, fail);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const onAbort = () => {
    // Others may hold the pipes longer (ssh hands them to its master): what they still write is not waited
    // for.
    child.once('exit', () => {
      child.stdout.destroy();
      child.stderr.destroy();
    });
    void terminate(child);
  };
  options.signal.addEventListener('abort', onAbort, { once: true });
  if (options.signal.aborted) onAbort();
  child.stdin.on('error', () => {});
  const fed = (options.input?.(child.stdin) ?? Promise.resolve()).then(
    () => child.stdin.end(),
    (error: NodeJS.ErrnoException) => {
      // The process ended before it read everything: its exit code says why.
      if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') fail(error);
    },
  );
  try {
    const exitCode = await ended;
    child.stdin.destroy();
    await fed;
    if (failure !== undefined) throw failure.error;
    return { exitCode, stdout: stdout(), stderr: stderr() };
  } finally {
    options.signal.removeEventListener('abort', onAbort);
  }
}

/** SIGTERM, and SIGKILL for what does not listen. */
async function terminate(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await delay(KILL_AFTER_MS, undefined, { ref: false });
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
}

/**
 * Gathers a stream's text and hands out its lines as they come; what their receiver throws goes to `fail`.
 */
function collect(
  stream: NodeJS.ReadableStream,
  onLine: ((line: string) => void) | undefined,
  fail: (error: unknown) => void,
): () => string {
  const decoder = new StringDecoder('utf8');
  const parts: string[] = [];
  let rest = '';
  const take = (text: string, isLast: boolean) => {
    parts.push(text);
    if (onLine === undefined) return;
    const lines = (rest + text).split('\n');
    rest = isLast && lines.at(-1) !== '' ? '' : (lines.pop() ?? '');
    try {
      for (const line of lines) onLine(line);
    } catch (error) {
      fail(error);
    }
  };
  stream.on('data', (chunk: Buffer) => take(decoder.write(chunk), false));
  stream.on('end', () => take(decoder.end(), true));
  return () => parts.join('');
}
