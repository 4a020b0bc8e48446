/** Lines of a unit's journal, counted, and those that report an error. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * Words by which a line reports an error, as Node, Java, Python, Go and nginx print them. systemd gives priority 6 to whatever a service
 * prints, so that the priority alone would miss nearly all.
 */
const ERROR_WORDS =
  /\b(?:error|fatal|panic|critical|segfault|unhandled|uncaught)\b|[a-z](?:Error|Exception)\b|\bException\b/i;

/** Whether a journal entry (`--output=json`) reports an error: priority `err` or worse, or by its words. Undefined: no entry. */
export function isErrorEntry(line: string): boolean | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { PRIORITY: priority, MESSAGE: message } = entry as Record<string, unknown>;
  if (typeof priority === 'string' && priority !== '' && Number(priority) <= 3) return true;
  // What is not UTF-8 comes as an array of bytes.
  const text = Array.isArray(message) ? Buffer.from(message as number[]).toString('latin1') : message;
  return typeof text === 'string' && ERROR_WORDS.test(text);
}

/** Follows the journal of one unit by `journalctl`; started again if it ends. */
export class JournalCounter {
  readonly #unit: string;
  #child: ChildProcess | undefined;
  #lines = 0;
  #errors = 0;
  #closed = false;

  constructor(unit: string) {
    this.#unit = unit;
    this.#start();
  }

  /** Counts since the last call. */
  take(): { lines: number; errors: number } {
    const counts = { lines: this.#lines, errors: this.#errors };
    this.#lines = 0;
    this.#errors = 0;
    return counts;
  }

  close(): void {
    this.#closed = true;
    this.#child?.kill();
  }

  #start(): void {
    const child = spawn(
      'journalctl',
      [
        `--unit=${this.#unit}`,
        '--follow',
        '--lines=0',
        '--output=json',
        '--output-fields=MESSAGE,PRIORITY',
        '--quiet',
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const isError = isErrorEntry(line);
      if (isError === undefined) return;
      this.#lines++;
      if (isError) this.#errors++;
    });
    const again = (): void => {
      if (!this.#closed) setTimeout(() => !this.#closed && this.#start(), 1000).unref();
    };
    child.once('error', again);
    child.once('exit', again);
  }
}
