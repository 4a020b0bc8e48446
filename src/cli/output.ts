/**
 * What people see in the terminal: lines that stay, and on a terminal a few live lines below them that show work under way.
 * With `--json` people's text goes to standard error, so that standard output holds one document.
 */

import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import type { ProgressEvent } from '../context.ts';
import { duration } from '../format.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Without a terminal, work that takes longer than this is announced, so that no one waits before a silent screen. */
const ANNOUNCE_AFTER_MS = 2_000;
/** After that its latest words follow, at most this often: a log shows that long work goes on, and does not drown in it. */
const FOLLOW_EVERY_MS = 5_000;

export interface Colors {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
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

export function createOutput({ sink, color, now, interactive }: OutputOptions): Output {
  const palette = pc.createColors(color);
  const rows = new Map<string, Row>();
  let custom: readonly string[] = [];
  let drawn = 0;
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;

  const elapsed = (row: Row) => duration(now() - row.since);

  function erase(): void {
    if (drawn > 0) sink.write(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  }

  function draw(): void {
    if (!interactive) return;
    const width = Math.max(...[...rows.values()].map((row) => row.label.length), 8);
    const lines = [...rows.values()].map((row) => {
      const count = row.count ? `${row.count.done} of ${row.count.of}  ` : '';
      const detail = row.detail === '' ? '' : `  ${row.detail}`;
      return `  ${row.label.padEnd(width)}  ${palette.cyan(FRAMES[frame % FRAMES.length] ?? '')} ${count}${row.stage}${detail}  ${palette.dim(elapsed(row))}`;
    });
    const all = [...lines, ...custom].map((line) => clip(line, sink.columns - 1));
    erase();
    if (all.length > 0) sink.write(`${all.join('\n')}\n`);
    drawn = all.length;
  }

  function tick(): void {
    frame++;
    if (interactive) draw();
    else {
      for (const row of rows.values()) {
        const wait = row.told === undefined ? ANNOUNCE_AFTER_MS : FOLLOW_EVERY_MS;
        const words = wordsOf(row);
        if (now() - (row.told?.at ?? row.since) < wait || words === row.told?.words) continue;
        row.told = { at: now(), words };
        sink.write(`${clip(`  ${row.label.padEnd(8)}  ${words} …`, sink.columns)}\n`);
      }
    }
  }

  function watch(): void {
    if (timer === undefined && (rows.size > 0 || custom.length > 0)) {
      timer = setInterval(tick, interactive ? 100 : 500);
      timer.unref();
    } else if (timer !== undefined && rows.size === 0 && custom.length === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  }

  function line(text = ''): void {
    erase();
    sink.write(`${text}\n`);
    draw();
  }

  return {
    colors: palette,
    interactive,
    columns: sink.columns,
    line,
    live(lines) {
      if (!interactive) return;
      custom = lines;
      draw();
      watch();
    },
    progress(event) {
      const label = event.host ?? event.stage;
      const key =
        event.count === undefined && event.host !== undefined ? `${event.host}\n${event.stage}` : label;
      const row = rows.get(key);
      if (event.state === 'started' || event.state === 'running') {
        if (row === undefined) {
          rows.set(key, {
            label,
            stage: event.host === undefined ? '' : event.stage,
            detail: event.detail ?? '',
            count: event.count,
            since: now(),
          });
        } else {
          if (event.host !== undefined) row.stage = event.stage;
          row.detail = event.detail ?? row.detail;
          row.count = event.count ?? row.count;
        }
        draw();
      } else {
        rows.delete(key);
        const quiet = event.count !== undefined && event.state !== 'failed';
        if (quiet) draw();
        else {
          const mark =
            event.state === 'failed'
              ? palette.red('✗')
              : event.state === 'skipped'
                ? palette.dim('–')
                : palette.green('✓');
          const time = row === undefined ? '' : palette.dim(elapsed(row));
          const words = [event.host === undefined ? '' : event.stage, event.detail ?? ''].filter(
            (word) => word !== '',
          );
          line(`  ${label.padEnd(10)} ${mark} ${words.join('  ').padEnd(40)} ${time}`.trimEnd());
        }
      }
      watch();
    },
    unfinished: () =>
      [...rows.values()].map((row) => (row.stage === '' ? row.label : `${row.label}: ${row.stage}`)),
    end() {
      if (timer !== undefined) clearInterval(timer);
      timer = undefined;
      custom = [];
      erase();
    },
  };
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

/** `3 hosts`, `1 change`. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
