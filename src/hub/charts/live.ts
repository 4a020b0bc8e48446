/**
 * The live stream: one point a step for each subject that somebody looks at, and the overview. Slow readers
 * are dropped.
 */
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import type { Window } from '../../metrics/catalogue.ts';
import { mergeWindows } from '../../metrics/merge.ts';
import type { HubEvent, LivePoint } from '../api-types.ts';
import type { Ingest } from '../intake/ingest.ts';
import { appCharts } from './app-charts.ts';
import { draw } from './charts.ts';
import { hostCharts } from './host-charts.ts';
import type { Subject } from './queries.ts';
import { select } from './selection.ts';

/** Bytes that may wait for one reader. */
const MAX_WAITING = 256 * 1024;

interface Reader {
  readonly subject: Subject | undefined;
  /** The answer, or what compresses it. */
  readonly sink: Writable;
  readonly response: ServerResponse;
  readonly user: string;
}

/**
 * Points of a subject from windows that came since the last: at most one.
 * @param serving hosts that serve the application: the others say nothing of it
 * @param interval seconds between two samples
 */
export function livePoint(
  subject: Subject,
  windows: readonly Window[],
  serving: ReadonlySet<string>,
  interval: number,
): LivePoint | undefined {
  const isApp = subject.kind === 'app';
  const own = isApp
    ? windows.filter(({ host }) => serving.has(host)).map((window) => select(window, subject))
    : windows.filter(({ host }) => host === subject.name);
  // Of some hosts there may be two windows by now, and of others none: a rate is that of all of them all the
  // same.
  const measured = own.reduce((total, window) => total + window.seconds, 0);
  const seconds = isApp && serving.size > 0 ? measured / serving.size : interval;
  const merged = mergeWindows(own);
  if (merged === undefined) return undefined;
  const charts = isApp ? appCharts(subject.name, own) : hostCharts(own);
  const range = { from: merged.at - 1, to: merged.at, stepSeconds: seconds };
  const { panels } = draw(charts, [merged], range, isApp);
  return { at: merged.at, panels };
}

export class Live {
  readonly #readers = new Set<Reader>();
  readonly #most: number;
  readonly #fleet: Ingest['fleet'];
  #windows: Window[] = [];

  /** @param most readers at once */
  constructor(ingest: Ingest, most = 200) {
    this.#most = most;
    this.#fleet = ingest.fleet;
    ingest.listen((_host, window) => {
      if (this.#readers.size > 0) this.#windows.push(window);
    });
  }

  get readers(): number {
    return this.#readers.size;
  }

  /**
   * @param compressed send gzip: one overview is much like the next
   * @returns where to write what this reader alone gets; undefined where there are too many readers already
   */
  add(
    response: ServerResponse,
    subject: Subject | undefined,
    user: string,
    compressed: boolean,
  ): Writable | undefined {
    if (this.#readers.size >= this.#most) return undefined;
    const sink = compressed ? compressor(response) : response;
    const reader: Reader = { subject, sink, response, user };
    this.#readers.add(reader);
    const remove = () => {
      this.#readers.delete(reader);
      sink.destroy();
    };
    response.on('close', remove);
    response.on('error', remove);
    sink.write('retry: 1000\n\n');
    return sink;
  }

  /** Tells everybody at once of an event that is new or changed. */
  event(event: HubEvent): void {
    for (const { sink } of this.#readers) sink.write(`event: event\ndata: ${JSON.stringify(event)}\n\n`);
  }

  /** Sends what came since the last call. */
  tick(overview: () => unknown, seconds: number): void {
    const windows = this.#windows;
    this.#windows = [];
    if (this.#readers.size === 0) return;
    const texts = new Map<string, string>();
    const head = `event: overview\ndata: ${JSON.stringify(overview())}\n\n`;
    for (const reader of this.#readers) {
      // A browser that reads nothing must not fill the memory of the hub. It connects again and gets what it
      // missed.
      if (reader.sink.writableLength + reader.response.writableLength > MAX_WAITING) {
        reader.response.destroy();
        this.#readers.delete(reader);
        continue;
      }
      reader.sink.write(head);
      const { subject } = reader;
      if (subject === undefined) continue;
      const key = JSON.stringify(subject);
      let text = texts.get(key);
      if (text === undefined) {
        const point = livePoint(subject, windows, this.#serving(subject), seconds);
        text = point === undefined ? '' : `event: point\nid: ${point.at}\ndata: ${JSON.stringify(point)}\n\n`;
        texts.set(key, text);
      }
      if (text !== '') reader.sink.write(text);
    }
  }

  /** Hosts that answered requests of an application within the last minute. */
  #serving({ kind, name }: Subject): ReadonlySet<string> {
    if (kind === 'host') return new Set([name]);
    const hosts = [...this.#fleet.values()].filter(({ recent }) =>
      recent.some(({ routes }) => routes.some(({ app }) => app === name)),
    );
    return new Set(hosts.map((host) => host.name));
  }

  close(): void {
    for (const { sink } of this.#readers) sink.end();
  }
}

/** Every write reaches the reader at once. */
function compressor(response: ServerResponse): Writable {
  const gzip = createGzip({ level: 1, flush: constants.Z_SYNC_FLUSH });
  gzip.pipe(response);
  return gzip;
}
