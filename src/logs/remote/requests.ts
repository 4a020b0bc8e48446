/** nginx's request log of an application on a host, as a source of lines. */
import { LOGS } from '../../contract/proxy-paths.ts';
import { withValues } from '../../ssh/script.ts';
import { type LogLine, lineOfRequest } from '../line.ts';
import { parseRequest } from '../request.ts';
import { isWanted } from '../wanted.ts';
import { linesOf } from './lines.ts';
import program from './requests.sh' with { type: 'text' };
import { hidingMeanwhile, type LogSource, type Reading, seconds } from './source.ts';

/** Workers of nginx write each on its own: a request may stand this much too late in the log. */
const DISORDER_MS = 3_000;
/** Requests that are remembered, so that none is shown twice. */
const REMEMBERED = 20_000;

export class RequestSource implements LogSource {
  readonly host: string;
  readonly #reading: Reading;
  readonly #known = new Set<string>();
  /** Of the latest request that was read, ms since 1970. */
  #last: number | undefined;
  #now: string | undefined;

  constructor(reading: Reading) {
    this.host = reading.connection.target.name;
    this.#reading = reading;
  }

  newest(): AsyncGenerator<LogLine> {
    return inOrder(this.#lines('newest'), -1);
  }

  oldest(): AsyncGenerator<LogLine> {
    return inOrder(this.#lines('oldest'), 1);
  }

  follow(signal: AbortSignal, onBegun: () => void): AsyncGenerator<LogLine> {
    return this.#lines('follow', signal, onBegun);
  }

  async *#lines(
    mode: 'newest' | 'oldest' | 'follow',
    signal: AbortSignal = this.#reading.signal,
    onBegun: () => void = () => {},
  ): AsyncGenerator<LogLine> {
    const { connection, question, wanted } = this.#reading;
    const hiding = hidingMeanwhile(this.#reading);
    const label = `requests of ${question.app ?? 'the host'}`;
    // Afterwards they are read again from a little earlier: only what is known already is left out.
    const begin = mode === 'follow' ? this.#begin() : question.since;
    for await (const { text, isCut } of linesOf(connection, this.#script(mode, begin), label, signal)) {
      if (text.startsWith('now ')) {
        this.#now ??= text.slice(4);
        onBegun();
      }
      const request = isCut || !text.startsWith('{') ? undefined : parseRequest(text);
      if (request === undefined || (begin !== undefined && request.at < begin)) continue;
      if (this.#isKnown(request.id || text)) continue;
      this.#last = Math.max(this.#last ?? 0, request.at);
      const hide = await hiding();
      const line = lineOfRequest(request, this.host, hide(`${this.host} nginx`));
      if (isWanted(line, wanted)) yield line;
    }
  }

  #begin(): number | undefined {
    if (this.#last !== undefined) return this.#last - DISORDER_MS;
    return this.#reading.question.since ?? (this.#now === undefined ? undefined : Number(this.#now) * 1000);
  }

  #isKnown(id: string): boolean {
    if (this.#known.has(id)) return true;
    this.#known.add(id);
    if (this.#known.size > REMEMBERED) {
      const [first] = this.#known;
      if (first !== undefined) this.#known.delete(first);
    }
    return false;
  }

  #script(mode: string, begin: number | undefined): string {
    const { app, until, statuses = [], grep = '' } = this.#reading.question;
    // A word alone is looked for on the host; a pattern needs the line as it is shown.
    const isWord = /^[\w./=-]+$/.test(grep) && !/[.]/.test(grep);
    return withValues(program, {
      mode,
      file: `${LOGS}/${app ?? '*'}.json.log`,
      since: seconds(begin),
      until: mode === 'follow' ? '' : seconds(until),
      statuses: statuses.map(({ from, to }) => `${from}-${to}`).join(' '),
      word: isWord && mode !== 'follow' ? grep : '',
      fold: /\p{Lu}/u.test(grep) ? '' : '-i',
    });
  }
}

/**
 * Puts lines in order that stand up to some seconds too late. @param sign 1: oldest first, -1: newest first
 */
async function* inOrder(lines: AsyncGenerator<LogLine>, sign: 1 | -1): AsyncGenerator<LogLine> {
  const held: LogLine[] = [];
  for await (const line of lines) {
    let at = held.length;
    while (at > 0 && sign * ((held[at - 1]?.at ?? 0) - line.at) > 0) at--;
    held.splice(at, 0, line);
    while (sign * (line.at - (held[0]?.at ?? line.at)) > DISORDER_MS) {
      const first = held.shift();
      if (first !== undefined) yield first;
    }
    if (held.length > MOST_HELD) yield* held.splice(0, held.length - MOST_HELD);
  }
  yield* held;
}

const MOST_HELD = 5_000;
