/** Lines of a script that runs on a host, read no faster than they are taken. */
import { Failure } from '../../errors.ts';
import { lastLines } from '../../process/output.ts';
import { redact } from '../../redact.ts';
import type { Connection } from '../../ssh/connection.ts';
import { LineSplitter, type RawLine } from '../split-lines.ts';

/** Characters that wait to be taken; beyond, the host is held back. */
const WAITING = 512 * 1024;

/** Bytes in, lines out, in bounded memory. */
export class LineQueue {
  readonly #splitter = new LineSplitter();
  #lines: RawLine[] = [];
  #next = 0;
  #waiting = 0;
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;
  #onMore: () => void = () => {};
  #onRoom: (() => void) | undefined;

  /** @returns a promise where the giver should wait: it resolves once lines were taken */
  push(chunk: Buffer): Promise<void> | undefined {
    this.#add(this.#splitter.take(chunk));
    this.#onMore();
    if (this.#waiting < WAITING) return undefined;
    return new Promise((resolve) => {
      this.#onRoom = resolve;
    });
  }

  /** Nothing more comes. A last line without an end counts where there was no error. */
  end(failure?: { readonly error: unknown }): void {
    if (this.#isOver) return;
    if (failure === undefined) this.#add(this.#splitter.end());
    this.#isOver = true;
    this.#failure = failure;
    this.#onMore();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RawLine> {
    for (;;) {
      const line = this.#lines[this.#next];
      if (line !== undefined) {
        this.#next++;
        this.#waiting -= line.text.length;
        if (this.#next === this.#lines.length) {
          this.#lines = [];
          this.#next = 0;
        }
        if (this.#waiting < WAITING / 2) this.#giveRoom();
        yield line;
      } else if (this.#isOver) {
        if (this.#failure !== undefined) throw this.#failure.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#onMore = resolve;
        });
      }
    }
  }

  #giveRoom(): void {
    this.#onRoom?.();
    this.#onRoom = undefined;
  }

  #add(lines: readonly RawLine[]): void {
    for (const line of lines) {
      this.#lines.push(line);
      this.#waiting += line.text.length;
    }
  }
}

/**
 * Runs a script on a host and gives its lines. Leaving the loop ends the script there.
 * @throws Failure kind `host` where the connection fails, or the script does and says why; `signal.reason`
 */
export async function* linesOf(
  connection: Connection,
  script: string,
  label: string,
  signal: AbortSignal,
): AsyncGenerator<RawLine> {
  const queue = new LineQueue();
  const left = new AbortController();
  const failed = (exitCode: number, said: string) =>
    new Failure('host', `${label} failed (exit ${exitCode})`, {
      host: connection.target.name,
      step: label,
      output: lastLines(redact(said)),
      next: 'See whether the host is well: pipeline prod status.',
    });
  const run = connection
    .script(script, {
      label,
      signal: AbortSignal.any([signal, left.signal]),
      timeoutMs: Number.POSITIVE_INFINITY,
      shown: label,
      onOutput: (chunk) => queue.push(chunk),
    })
    .then(
      ({ exitCode, stderr }) => {
        // journalctl ends with 1 where it found nothing, and says nothing then.
        const said = stderr.trim();
        queue.end(exitCode === 0 || said === '' ? undefined : { error: failed(exitCode, said) });
      },
      (error: unknown) => queue.end({ error }),
    );
  try {
    yield* queue;
  } finally {
    left.abort(new Error('enough was read'));
    queue.end();
    await run;
  }
}
