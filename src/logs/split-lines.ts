/** Bytes in, lines out, in bounded memory. Pure but for what it holds. */
import { StringDecoder } from 'node:string_decoder';

export interface RawLine {
  readonly text: string;
  /** It is only the beginning: the rest was too long. */
  readonly isCut: boolean;
}

/** Longer lines are cut: an entry of the journal that a service printed has 48 kB at most. */
const LONGEST_LINE = 1024 * 1024;
/** What is kept of them. */
const KEPT_OF_LONG = 64 * 1024;

/** Puts lines together from pieces; empty ones are left out. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  /** Of the line that is too long, its beginning. */
  #long: string | undefined;

  /** The lines that are whole now. */
  take(chunk: Buffer): RawLine[] {
    const text = this.#decoder.write(chunk);
    const lines: RawLine[] = [];
    let from = 0;
    for (let to = text.indexOf('\n'); to >= 0; from = to + 1, to = text.indexOf('\n', from)) {
      const isCut = this.#long !== undefined;
      const line = this.#long ?? this.#rest + text.slice(from, to);
      if (line !== '') lines.push({ text: line, isCut });
      this.#rest = '';
      this.#long = undefined;
    }
    if (this.#long === undefined) this.#keep(text.slice(from));
    return lines;
  }

  /** A last line without an end. */
  end(): RawLine[] {
    if (this.#long !== undefined) return [{ text: this.#long, isCut: true }];
    return this.#rest === '' ? [] : [{ text: this.#rest, isCut: false }];
  }

  #keep(text: string): void {
    this.#rest += text;
    if (this.#rest.length <= LONGEST_LINE) return;
    this.#long = this.#rest.slice(0, KEPT_OF_LONG);
    this.#rest = '';
  }
}

/** Lines of a stream, read no faster than they are taken. */
export async function* splitLines(stream: AsyncIterable<Buffer>): AsyncGenerator<RawLine> {
  const splitter = new LineSplitter();
  for await (const chunk of stream) yield* splitter.take(chunk);
  yield* splitter.end();
}
