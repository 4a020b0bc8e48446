/** One program run to its end: its output in lines, a limit in time, and nothing left of it afterwards. */
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { endAlone, endGroup, GRACE_MS, hasEnded, launch } from './child.ts';
import { LastCharacters, receive, receiveSlowly } from './output.ts';

/** Where an output goes: to the result, to our own, nowhere, or to an open file. */
type Outlet = 'result' | 'ours' | 'nowhere' | number;

export interface ProcessOptions {
  /** The whole environment: nothing is inherited beside it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string | undefined;
  /**
   * Standard input: a text; what feeds it, resolving when all was handed over; or `ours`, for what asks the
   * user, which also leaves the program in our process group. Default: empty. A program that ends before it
   * has read everything is no error: its exit code says why.
   */
  readonly input?: string | 'ours' | ((stdin: NodeJS.WritableStream) => Promise<void>) | undefined;
  readonly stdout?: Outlet | undefined;
  readonly stderr?: Outlet | undefined;
  readonly onStdout?: ((line: string) => void) | undefined;
  readonly onStderr?: ((line: string) => void) | undefined;
  /** Gets the standard output instead of the result; a promise holds back what comes next. */
  readonly onChunk?: ((chunk: Buffer) => void | Promise<void>) | undefined;
  /** The most characters of each output that the result holds: the last ones. Default 64 million. */
  readonly keep?: number | undefined;
  /** An open file that the program has as descriptor 3, so that a lock on it lasts until both have ended. */
  readonly descriptor?: number | undefined;
  /** Ends the program and its children: SIGTERM, and SIGKILL after the grace. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which it is ended in the same way. */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly graceMs?: number | undefined;
}

export interface ProcessResult {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly endedBy: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether an output is longer than what was kept of it. */
  readonly wasCut: boolean;
  /** Whether it was ended because its time was over. */
  readonly timedOut: boolean;
}

const KEEP = 64_000_000;

/**
 * Runs a program to its end. When this settles, its process group has ended too where it was stopped.
 * @throws the error of the start (ENOENT), of `input`, or of a receiver of lines. An abort and a timeout are
 *   not thrown: the exit code is null then.
 */
export async function runProcess(
  program: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<ProcessResult> {
  const run = new Run(launch(program, args, { ...options, ...plumbing(options) }), options);
  const timer =
    options.timeoutMs === undefined ? undefined : setTimeout(() => run.timeOut(), options.timeoutMs);
  const stop = () => run.stop();
  options.signal?.addEventListener('abort', stop, { once: true });
  if (options.signal?.aborted) stop();
  try {
    return await run.end();
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', stop);
  }
}

function plumbing({ input, stdout, stderr, descriptor }: ProcessOptions): {
  stdio: StdioOptions;
  inForeground: boolean;
} {
  const outlet = (to: Outlet = 'result') =>
    typeof to === 'number' ? to : ({ result: 'pipe', ours: 'inherit', nowhere: 'ignore' } as const)[to];
  const stdin = input === undefined ? 'ignore' : input === 'ours' ? 'inherit' : 'pipe';
  return {
    stdio: [stdin, outlet(stdout), outlet(stderr), ...(descriptor === undefined ? [] : [descriptor])],
    inForeground: input === 'ours',
  };
}

/** A program that runs. */
class Run {
  readonly #child: ChildProcess;
  readonly #options: ProcessOptions;
  readonly #stdout: LastCharacters;
  readonly #stderr: LastCharacters;
  readonly #closed: Promise<Pick<ProcessResult, 'exitCode' | 'endedBy'>>;
  readonly #fed: Promise<void>;
  #failure: { readonly error: unknown } | undefined;
  #stopping: Promise<void> | undefined;
  #timedOut = false;

  constructor(child: ChildProcess, options: ProcessOptions) {
    this.#child = child;
    this.#options = options;
    this.#stdout = new LastCharacters(options.keep ?? KEEP);
    this.#stderr = new LastCharacters(options.keep ?? KEEP);
    this.#closed = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode, endedBy) => resolve({ exitCode, endedBy }));
    });
    if (options.onChunk === undefined) this.#receive(child.stdout, this.#stdout, options.onStdout);
    else if (child.stdout !== null)
      receiveSlowly(child.stdout, options.onChunk, (error) => this.#fail(error));
    this.#receive(child.stderr, this.#stderr, options.onStderr);
    this.#fed = this.#feed();
  }

  /** Ends it. */
  stop(): void {
    if (this.#stopping !== undefined) return;
    const { input, graceMs = GRACE_MS } = this.#options;
    // Others may hold the pipes longer (ssh hands them to its master): nobody waits for what they write.
    const leave = () => {
      this.#child.stdout?.destroy();
      this.#child.stderr?.destroy();
    };
    if (hasEnded(this.#child)) leave();
    else this.#child.once('exit', leave);
    this.#stopping = (input === 'ours' ? endAlone : endGroup)(this.#child, graceMs);
    // Awaited by `end`, which may come to it later.
    this.#stopping.catch(() => {});
  }

  timeOut(): void {
    this.#timedOut = !hasEnded(this.#child);
    this.stop();
  }

  async end(): Promise<ProcessResult> {
    const ended = await this.#closed;
    this.#child.stdin?.destroy();
    await this.#fed;
    await this.#stopping;
    if (this.#failure !== undefined) throw this.#failure.error;
    const [stdout, stderr] = [this.#stdout.end(), this.#stderr.end()];
    return {
      ...ended,
      stdout: stdout.text,
      stderr: stderr.text,
      wasCut: stdout.wasCut || stderr.wasCut,
      timedOut: this.#timedOut,
    };
  }

  #receive(
    stream: NodeJS.ReadableStream | null,
    tail: LastCharacters,
    onLine: ((line: string) => void) | undefined,
  ): void {
    if (stream === null) return;
    receive(
      stream,
      (text) => tail.add(text),
      onLine,
      (error) => this.#fail(error),
    );
  }

  async #feed(): Promise<void> {
    const { stdin } = this.#child;
    if (stdin === null) return;
    stdin.on('error', () => {});
    const { input } = this.#options;
    try {
      if (typeof input === 'function') await input(stdin);
      stdin.end(typeof input === 'string' ? input : undefined);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EPIPE' && code !== 'ERR_STREAM_PREMATURE_CLOSE') this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.stop();
  }
}
