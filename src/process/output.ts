/** What a program prints, as text and in lines. */
import { StringDecoder } from 'node:string_decoder';

/** The last lines that hold anything. */
export function lastLines(text: string, count = 10): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-count);
}

/** The end of a text that grows, in bounded memory. */
export class LastCharacters {
  readonly #most: number;
  #text = '';
  #wasCut = false;

  /** @param most characters that are kept */
  constructor(most: number) {
    this.#most = most;
  }

  add(text: string): void {
    this.#text += text;
    // Cut rarely: each cut copies what is kept.
    if (this.#text.length > 2 * this.#most) this.#cut();
  }

  /** The last characters, and whether there were more before them. */
  end(): { readonly text: string; readonly wasCut: boolean } {
    if (this.#text.length > this.#most) this.#cut();
    return { text: this.#text, wasCut: this.#wasCut };
  }

  #cut(): void {
    this.#text = this.#text.slice(-this.#most);
    this.#wasCut = true;
  }
}

/**
 * Hands out a stream's text as it comes, and its lines once they are whole; the last one need not end.
 * @param onError given what a receiver throws
 */
export function receive(
  stream: NodeJS.ReadableStream,
  onText: (text: string) => void,
  onLine: ((line: string) => void) | undefined,
  onError: (error: unknown) => void,
): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const take = (text: string, isLast: boolean) => {
    onText(text);
    if (onLine === undefined) return;
    const lines = (rest + text).split('\n');
    rest = isLast && lines.at(-1) !== '' ? '' : (lines.pop() ?? '');
    try {
      for (const line of lines) onLine(line);
    } catch (error) {
      onError(error);
    }
  };
  stream.on('data', (chunk: Buffer) => take(decoder.write(chunk), false));
  stream.on('end', () => take(decoder.end(), true));
}

/**
 * Hands out a stream's bytes as they come; where the receiver gives a promise, nothing more is read until it
 * settles, so that memory stays bounded.
 * @param onError given what a receiver throws
 */
export function receiveSlowly(
  stream: NodeJS.ReadableStream,
  onChunk: (chunk: Buffer) => void | Promise<void>,
  onError: (error: unknown) => void,
): void {
  stream.on('data', (chunk: Buffer) => {
    try {
      const taken = onChunk(chunk);
      if (taken === undefined) return;
      stream.pause();
      taken.then(() => stream.resume(), onError);
    } catch (error) {
      onError(error);
    }
  });
}
