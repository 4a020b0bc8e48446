/** The journal of a host as a source of lines. */
import { PLACED_LOG } from '../../contract/places.ts';
import { withValues } from '../../ssh/script.ts';
import { beginningsAlone, FIELDS, type JournalEntry, parseEntry, SplitLines } from '../journal.ts';
import { type LogLine, lineOfEntry } from '../line.ts';
import { type Placement, parsePlacement, releaseAt } from '../placed.ts';
import type { RawLine } from '../split-lines.ts';
import { sliceOf, sourceOf } from '../units.ts';
import { isWanted } from '../wanted.ts';
import program from './journal.sh' with { type: 'text' };
import { linesOf } from './lines.ts';
import { type Hide, hidingMeanwhile, type LogSource, type Reading, seconds } from './source.ts';

type Mode = 'newest' | 'oldest' | 'follow' | 'placed';

/** Entries read for each line that is shown, where the host can count them: split lines are several. */
const ENTRIES_A_LINE = 4;
const MORE_ENTRIES = 300;

export class JournalSource implements LogSource {
  readonly host: string;
  readonly #reading: Reading;
  readonly #splits = new SplitLines();
  #placements: Placement[] = [];
  #cursor = '';
  /** The host's own time when it was asked last, seconds. */
  #now = '';

  constructor(reading: Reading) {
    this.host = reading.connection.target.name;
    this.#reading = reading;
  }

  async *newest(count: number): AsyncGenerator<LogLine> {
    const { signal, wanted } = this.#reading;
    const { level, release, colour } = wanted;
    const hiding = hidingMeanwhile(this.#reading);
    const isCounted = level === undefined && release === undefined && colour === undefined;
    const most = isCounted ? String(count * ENTRIES_A_LINE + MORE_ENTRIES) : '';
    for await (const entry of beginningsAlone(this.#entries('newest', most, signal)))
      yield* this.#shown(entry, await hiding());
  }

  async *oldest(): AsyncGenerator<LogLine> {
    const hiding = hidingMeanwhile(this.#reading);
    for await (const entry of this.#entries('oldest', '', this.#reading.signal)) {
      if (!this.#splits.continues(entry)) yield* this.#shown(entry, await hiding());
    }
  }

  async *follow(signal: AbortSignal, onBegun: () => void): AsyncGenerator<LogLine> {
    const hiding = hidingMeanwhile(this.#reading);
    for await (const entry of this.#entries('follow', '', signal, onBegun)) {
      // The release that it starts may be new.
      if (entry.starts) await this.#lookAtPlacements(signal);
      if (!this.#splits.continues(entry)) yield* this.#shown(entry, await hiding());
    }
  }

  async *#entries(
    mode: Mode,
    count: string,
    signal: AbortSignal,
    onBegun: () => void = () => {},
  ): AsyncGenerator<JournalEntry> {
    const { connection } = this.#reading;
    for await (const line of linesOf(connection, this.#script(mode, count), this.#label, signal)) {
      if (line.text.startsWith('now ')) onBegun();
      const entry = line.text.startsWith('{') ? parseEntry(line.text, line.isCut) : this.#told(line);
      if (entry === undefined || !this.#isOwn(entry)) continue;
      if (mode !== 'newest') this.#cursor = entry.cursor;
      else this.#cursor ||= entry.cursor;
      yield entry;
    }
  }

  /** Others may mark their lines with the application's name. */
  #isOwn({ unit }: JournalEntry): boolean {
    const { app } = this.#reading.question;
    return app === undefined || unit.startsWith(`pipeline-${app}@`);
  }

  get #label(): string {
    return `journal of ${this.#reading.question.app ?? this.#reading.question.unit ?? 'the host'}`;
  }

  #told({ text }: RawLine): undefined {
    if (text.startsWith('now ')) this.#now ||= text.slice(4);
    const placement = text.startsWith('placed ') ? parsePlacement(text.slice(7)) : undefined;
    if (placement === undefined) return;
    const isKnown = ({ at, colour }: Placement) => at === placement.at && colour === placement.colour;
    if (!this.#placements.some(isKnown)) this.#placements.push(placement);
  }

  async #lookAtPlacements(signal: AbortSignal): Promise<void> {
    const { connection, question } = this.#reading;
    if (question.app === undefined) return;
    for await (const line of linesOf(connection, this.#script('placed', ''), this.#label, signal))
      this.#told(line);
  }

  #script(mode: Mode, count: string): string {
    const { app, unit, grep, since, until } = this.#reading.question;
    // journalctl takes one beginning.
    const cursor = mode === 'follow' ? this.#cursor : '';
    const begin = mode === 'follow' && since === undefined ? this.#now : seconds(since);
    return withValues(program, {
      mode,
      app: app ?? '',
      slice: app === undefined ? '' : sliceOf(app),
      unit: unit ?? '',
      since: cursor === '' ? begin : '',
      until: mode === 'follow' ? '' : seconds(until),
      cursor,
      pattern: grep ?? '',
      count,
      fields: FIELDS.join(','),
      placed: PLACED_LOG,
    });
  }

  *#shown(entry: JournalEntry, hide: Hide): Generator<LogLine> {
    const { question, wanted } = this.#reading;
    const source = sourceOf(entry, question.app);
    const release = question.app === undefined ? '' : releaseAt(this.#placements, source, entry.at);
    const line = lineOfEntry(entry, { host: this.host, source, release }, hide(`${this.host} ${source}`));
    if (isWanted(line, wanted)) yield line;
  }
}
