/**
 * What people see: lines that stay, and on a terminal a few live lines below them that show work under way.
 * With `--json` people's text goes to standard error, so that standard output holds one document.
 */

import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import type { ProgressEvent } from '../context.ts';
import { duration } from '../format.ts';

export { counted } from '../format.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Without a terminal, work that takes longer than this is announced: nobody stares at a silent screen. */
const ANNOUNCE_AFTER_MS = 2_000;
/** Its latest words follow, at most this often: a log shows that work goes on without drowning in it. */
const FOLLOW_EVERY_MS = 5_000;

export interface Colors {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
  magenta(text: string): string;
  blue(text: string): string;
}

export interface Sink {
  write(text: string): void;
  readonly isTTY: boolean;
  readonly columns: number;
}

/** Work under way, one row for each host (or stage, where no single host is concerned). */
interface Row {
  readonly label: string;
  stage: string;
  detail: string;
  count: ProgressEvent['count'];
  readonly since: number;
  /** Without a terminal: when it was last told of, and with which words; absent: not yet. */
  told?: { readonly at: number; readonly words: string };
}

export interface Output {
  readonly colors: Colors;
  /** Is somebody watching who can be asked and whose screen can be redrawn? */
  readonly interactive: boolean;
  readonly columns: number;
  /** A line that stays. */
  line(text?: string): void;
  /** Lines at the bottom that are drawn again at each call; none without a terminal. */
  live(lines: readonly string[]): void;
  progress(event: ProgressEvent): void;
  /** What was started and has not ended, e.g. `checkbox: installing nginx`. */
  unfinished(): readonly string[];
  /** Clears the live lines and stops drawing. */
  end(): void;
}

export interface OutputOptions {
  readonly sink: Sink;
  readonly color: boolean;
  readonly now: () => number;
  /** Live lines and questions; off in CI. */
  readonly interactive: boolean;
}

export function createOutput(options: OutputOptions): Output {
  return new Screen(options);
}

/** Lines that stay, and below them the rows of work under way. */
class Screen implements Output {
  readonly colors: Colors;
  readonly interactive: boolean;
  readonly #sink: Sink;
  readonly #now: () => number;
  readonly #rows = new Map<string, Row>();
  /** What `live` was given last. */
  #custom: readonly string[] = [];
  /** Live lines on the screen now. */
  #drawn = 0;
  #frame = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ sink, color, now, interactive }: OutputOptions) {
    this.colors = pc.createColors(color);
    this.interactive = interactive;
    this.#sink = sink;
    this.#now = now;
  }

  get columns(): number {
    return this.#sink.columns;
  }

  line(text = ''): void {
    this.#erase();
    this.#sink.write(`${text}\n`);
    this.#draw();
  }

  live(lines: readonly string[]): void {
    if (!this.interactive) return;
    this.#custom = lines;
    this.#draw();
    this.#watch();
  }

  progress(event: ProgressEvent): void {
    const isUnderWay = event.state === 'started' || event.state === 'running';
    if (isUnderWay) this.#underWay(event);
    else this.#ended(event);
    this.#watch();
  }

  unfinished(): readonly string[] {
    return [...this.#rows.values()].map(({ stage, label }) => (stage === '' ? label : `${label}: ${stage}`));
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#custom = [];
    this.#erase();
  }

  #underWay(event: ProgressEvent): void {
    const row = this.#rows.get(keyOf(event));
    if (row === undefined) {
      this.#rows.set(keyOf(event), {
        label: event.host ?? event.stage,
        stage: event.host === undefined ? '' : event.stage,
        detail: event.detail ?? '',
        count: event.count,
        since: this.#now(),
      });
    } else {
      if (event.host !== undefined) row.stage = event.stage;
      row.detail = event.detail ?? row.detail;
      row.count = event.count ?? row.count;
    }
    this.#draw();
  }

  #ended(event: ProgressEvent): void {
    const row = this.#rows.get(keyOf(event));
    this.#rows.delete(keyOf(event));
    // One of many: the last of them says that all are done.
    if (event.count !== undefined && event.state !== 'failed') {
      this.#draw();
      return;
    }
    const time = row === undefined ? '' : this.colors.dim(this.#elapsed(row));
    const stage = event.host === undefined ? '' : event.stage;
    const words = [stage, event.detail ?? ''].filter((word) => word !== '').join('  ');
    const label = (event.host ?? event.stage).padEnd(10);
    this.line(`  ${label} ${this.#mark(event.state)} ${words.padEnd(40)} ${time}`.trimEnd());
  }

  #mark(state: ProgressEvent['state']): string {
    if (state === 'failed') return this.colors.red('✗');
    return state === 'skipped' ? this.colors.dim('–') : this.colors.green('✓');
  }

  #elapsed(row: Row): string {
    return duration(this.#now() - row.since);
  }

  #erase(): void {
    if (this.#drawn > 0) this.#sink.write(`\u001b[${this.#drawn}A\u001b[0J`);
    this.#drawn = 0;
  }

  #draw(): void {
    if (!this.interactive) return;
    const rows = [...this.#rows.values()];
    const width = Math.max(...rows.map((row) => row.label.length), 8);
    const lines = [...rows.map((row) => this.#rowLine(row, width)), ...this.#custom];
    this.#erase();
    if (lines.length > 0) {
      this.#sink.write(`${lines.map((line) => clip(line, this.columns - 1)).join('\n')}\n`);
    }
    this.#drawn = lines.length;
  }

  #rowLine(row: Row, width: number): string {
    const spinner = this.colors.cyan(FRAMES[this.#frame % FRAMES.length] ?? '');
    const count = row.count ? `${row.count.done} of ${row.count.of}  ` : '';
    const detail = row.detail === '' ? '' : `  ${row.detail}`;
    const time = this.colors.dim(this.#elapsed(row));
    return `  ${row.label.padEnd(width)}  ${spinner} ${count}${row.stage}${detail}  ${time}`;
  }

  #tick(): void {
    this.#frame++;
    if (this.interactive) this.#draw();
    else for (const row of this.#rows.values()) this.#tell(row);
  }

  /** Without a terminal: says what a row is at, where that is new and it is time. */
  #tell(row: Row): void {
    const wait = row.told === undefined ? ANNOUNCE_AFTER_MS : FOLLOW_EVERY_MS;
    const words = wordsOf(row);
    if (this.#now() - (row.told?.at ?? row.since) < wait || words === row.told?.words) return;
    row.told = { at: this.#now(), words };
    this.#sink.write(`${clip(`  ${row.label.padEnd(8)}  ${words} …`, this.columns)}\n`);
  }

  /** The clock runs while there is something to show. */
  #watch(): void {
    const isIdle = this.#rows.size === 0 && this.#custom.length === 0;
    if (isIdle) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#tick(), this.interactive ? 100 : 500);
      this.#timer.unref();
    }
  }
}

/** One row for each host; where a host does several things at once, for each of them. */
function keyOf({ host, stage, count }: ProgressEvent): string {
  return count === undefined && host !== undefined ? `${host}\n${stage}` : (host ?? stage);
}

/** What is under way, in words: `upload  3 of 8  …`. */
function wordsOf({ stage, count, detail }: Row): string {
  const counted = count === undefined ? '' : `${count.done} of ${count.of}`;
  return [stage, counted, detail].filter((word) => word !== '').join('  ');
}

/** A line that fits the screen. One that is too long loses its colours with its end. */
function clip(line: string, width: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length <= width ? line : `${plain.slice(0, Math.max(0, width - 1))}…`;
}
