/**
 * Sends what the declared units log to a store, at least once. What the store has not taken stays in the
 * host's journal: of it, no more than one batch is in memory.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { hidingLines } from '../../logs/hide.ts';
import { FIELDS, type JournalEntry, parseEntry, SplitLines } from '../../logs/journal.ts';
import { lineOfEntry } from '../../logs/line.ts';
import { type RawLine, splitLines } from '../../logs/split-lines.ts';
import { sourceOf } from '../../logs/units.ts';
import { isDeclared } from '../questions/declared.ts';
import type { ForwardedLine } from './forms.ts';
import { type LogStore, Refused } from './stores.ts';

export interface ForwardOptions {
  readonly host: string;
  /** Globs of units whose lines are sent. */
  readonly units: readonly string[];
  readonly store: LogStore;
  /**
   * Keeps the place in the journal up to which the store has everything; undefined: begin with now each time.
   */
  readonly place: string | undefined;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
  /** What prints the journal; for tests. */
  readonly journalctl?: string | undefined;
}

/** A batch ends with so many lines or characters, or when its first line has waited that long. */
const MOST_LINES = 500;
const MOST_CHARACTERS = 256 * 1024;
const WAIT_MS = 1_000;
const AGAIN_MS = { first: 500, longest: 30_000 } as const;
/** Trouble is said once, and again after this. */
const SAY_AGAIN_MS = 600_000;

/** Runs until the signal. */
export async function forwardLogs(options: ForwardOptions): Promise<void> {
  const { signal, store, log } = options;
  const forwarder = new Forwarder(options);
  try {
    while (!signal.aborted) {
      await forwarder.follow().catch((error: Error) => {
        if (!signal.aborted) log(`Logs cannot be read for forwarding: ${error.message}`);
      });
      await sleep(AGAIN_MS.first, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    store.close();
  }
}

class Forwarder {
  readonly #options: ForwardOptions;
  readonly #splits = new SplitLines();
  readonly #hide = hidingLines([]);
  #cursor: string;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(options: ForwardOptions) {
    this.#options = options;
    this.#cursor = options.place === undefined ? '' : readPlace(options.place);
  }

  /** Sends batch after batch until the journal's program ends, or the signal comes. */
  async follow(): Promise<void> {
    const { signal } = this.#options;
    const child = this.#journal();
    const end = () => child.kill();
    signal.addEventListener('abort', end, { once: true });
    try {
      await once(child, 'spawn');
      if (child.stdout === null) return;
      for await (const batch of batches(splitLines(child.stdout))) {
        const entries = batch.flatMap(({ text, isCut }) => parseEntry(text, isCut) ?? []);
        const last = entries.at(-1);
        const lines = entries.flatMap((entry) => this.#line(entry));
        if (lines.length > 0 && !(await this.#deliver(lines))) return;
        if (last !== undefined) this.#keep(last.cursor);
      }
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }

  #journal(): ChildProcess {
    const begin = this.#cursor === '' ? '--lines=0' : `--after-cursor=${this.#cursor}`;
    const all = this.#cursor === '' ? [] : ['--lines=all'];
    const how = ['--quiet', '--follow', '--all', '--output=json', `--output-fields=${FIELDS.join(',')}`];
    return spawn(this.#options.journalctl ?? 'journalctl', [...how, ...all, begin], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  #line(entry: JournalEntry): ForwardedLine[] {
    const { host, units } = this.#options;
    if (!isDeclared(entry.unit, units) || this.#splits.continues(entry)) return [];
    const app = /^pipeline-(.+)@[^@]+\.service$/.exec(entry.unit)?.[1] ?? '';
    const source = sourceOf(entry, app === '' ? undefined : app);
    return [{ ...lineOfEntry(entry, { host, source, release: '' }, this.#hide(source)), app }];
  }

  /** Tries until the store takes it. @returns false: the signal came */
  async #deliver(lines: readonly ForwardedLine[]): Promise<boolean> {
    const { store, signal } = this.#options;
    let wait: number = AGAIN_MS.first;
    while (!signal.aborted) {
      try {
        await store.send(lines);
        this.#sayWell();
        return true;
      } catch (error) {
        this.#say((error as Error).message, error instanceof Refused ? lines.length : 0);
        if (error instanceof Refused) return true;
      }
      await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
      wait = Math.min(AGAIN_MS.longest, wait * 2);
    }
    return false;
  }

  #keep(cursor: string): void {
    this.#cursor = cursor;
    const { place } = this.#options;
    if (place === undefined) return;
    writeFileSync(`${place}.new`, `${cursor}\n`, { mode: 0o600 });
    renameSync(`${place}.new`, place);
  }

  #say(why: string, lost: number): void {
    const now = Date.now();
    if (now - this.#saidAt < SAY_AGAIN_MS) return;
    this.#saidAt = now;
    const fate = lost > 0 ? `${lost} lines are left out` : 'Lines wait in the journal';
    this.#options.log(`Logs are not forwarded: the store says that ${why}. ${fate}.`);
  }

  #sayWell(): void {
    if (this.#saidAt === Number.NEGATIVE_INFINITY) return;
    this.#saidAt = Number.NEGATIVE_INFINITY;
    this.#options.log('Logs are forwarded again.');
  }
}

/** Lines in bundles: full ones at once, others when their first line has waited long enough. */
async function* batches(lines: AsyncIterable<RawLine>): AsyncGenerator<readonly RawLine[]> {
  const iterator = lines[Symbol.asyncIterator]();
  let next = iterator.next();
  for (;;) {
    const first = await next;
    if (first.done === true) return;
    const batch = [first.value];
    let size = first.value.text.length;
    const timer = new AbortController();
    const over = sleep(WAIT_MS, 'over' as const, { signal: timer.signal }).catch(() => 'over' as const);
    next = iterator.next();
    while (batch.length < MOST_LINES && size < MOST_CHARACTERS) {
      const one = await Promise.race([next, over]);
      if (one === 'over' || one.done === true) break;
      batch.push(one.value);
      size += one.value.text.length;
      next = iterator.next();
    }
    timer.abort();
    yield batch;
  }
}

function readPlace(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
