/** Lines of a unit's journal, counted, and those that report an error. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseLine } from '../logs/json-line.ts';

/**
 * Words by which a line reports an error, as Node, Java, Python, Go and nginx print them. systemd gives
 * priority 6 to whatever a service prints, so that the priority alone would miss nearly all.
 */
const ERROR_WORDS = /\b(?:error|exception|fatal|panic|critical|segfault|unhandled|uncaught)\b/i;
/** `TypeError`, `NullPointerException`; but not `terror`. */
const ERROR_TYPES = /[a-z](?:Error|Exception)\b/;

/** A line of the journal, as far as it matters. */
export interface JournalEntry {
  readonly cursor: string;
  readonly isError: boolean;
}

/**
 * Reads an entry (`--output=json`); it reports an error by its priority, `err` or worse, or by its words.
 * Undefined: no entry.
 */
export function parseEntry(line: string): JournalEntry | undefined {
  const { __CURSOR: cursor, PRIORITY: priority, MESSAGE: message } = parseLine(line) ?? {};
  if (typeof cursor !== 'string') return undefined;
  // What is not UTF-8 comes as an array of bytes.
  const text = Array.isArray(message)
    ? Buffer.from(message as number[]).toString('latin1')
    : String(message ?? '');
  const severe = typeof priority === 'string' && priority !== '' && Number(priority) <= 3;
  return { cursor, isError: severe || ERROR_WORDS.test(text) || ERROR_TYPES.test(text) };
}

/**
 * Counts the lines of one unit from its own beginning on, by `journalctl`, which is started again where it
 * ends.
 */
export class JournalCounter {
  readonly #unit: string;
  /**
   * Where to begin: this moment, later the entry that was read last. So no line is missed or counted twice.
   */
  #begin = `--since=@${(Date.now() / 1000).toFixed(6)}`;
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
    const options = [
      '--follow',
      '--lines=all',
      '--output=json',
      '--output-fields=MESSAGE,PRIORITY',
      '--quiet',
    ];
    const child = spawn('journalctl', [`--unit=${this.#unit}`, this.#begin, ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => this.#onLine(line));
    const again = (): void => {
      if (!this.#closed) setTimeout(() => !this.#closed && this.#start(), 1000).unref();
    };
    child.once('error', (error) => {
      process.stderr.write(`The journal cannot be read: ${error.message}\n`);
      again();
    });
    child.once('exit', again);
  }

  #onLine(line: string): void {
    const entry = parseEntry(line);
    if (entry === undefined) return;
    this.#begin = `--after-cursor=${entry.cursor}`;
    this.#lines++;
    if (entry.isError) this.#errors++;
  }
}
