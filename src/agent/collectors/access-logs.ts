/** Access logs of nginx and Tomcat: rate, errors, duration and size by application, version and route. */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Row } from '../../metrics/catalogue.ts';
import type { Collector, Findings } from '../collector.ts';
import { type AccessLogEntry, parseNginxLine } from '../logs/access-log.ts';
import { Tail } from '../logs/tail.ts';
import { parseTomcatLine } from '../logs/tomcat-log.ts';
import { LoggedTraffic, type TrafficCounts } from '../logs/traffic.ts';

/** Logs to follow. */
export interface AccessLogSource {
  readonly server: 'nginx' | 'tomcat';
  /** File; its last part may hold `*`, e.g. `/var/log/nginx/pipeline/*.json.log`. */
  readonly path: string;
  /** Application, where the log does not name it. */
  readonly app?: string | undefined;
  /** Symbolic link to the release that serves, where the log does not name it. */
  readonly releaseLink?: string | undefined;
}

/** Files of one source that are followed at once: the latest. More are old, or a mistake in the pattern. */
const MAX_FILES = 30;
/** Seconds between two looks for files that are new. */
const SCAN_SECONDS = 10;
/**
 * File systems take times from a clock that ticks this seldom, so that a new file may seem a little older.
 */
const COARSE_CLOCK_MS = 100;

/** Rows of the interval. */
export function toRow(server: 'nginx' | 'tomcat', counts: TrafficCounts): Row<'routes'> {
  const { app, colour, release, method, route, requests, retries, bytes, latency, size } = counts;
  const answered = (hundreds: number): number =>
    Object.entries(counts.status).reduce(
      (sum, [code, n]) => sum + (Math.floor(Number(code) / 100) === hundreds ? n : 0),
      0,
    );
  return {
    server,
    app,
    colour,
    release,
    method,
    route,
    requests,
    status_2xx: answered(2),
    status_3xx: answered(3),
    status_4xx: answered(4),
    status_5xx: answered(5),
    retries,
    bytes,
    latency,
    size,
  };
}

/** Names in a directory that match a pattern with `*`. */
export function matchingNames(names: readonly string[], pattern: string): string[] {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(`^${parts.join('.*')}$`);
  return names.filter((name) => expression.test(name));
}

/** @param routes patterns known beforehand, e.g. `/api/study/load/:id` */
export function accessLogCollector(source: AccessLogSource, routes: readonly string[]): Collector {
  return new AccessLogs(source, routes);
}

class AccessLogs implements Collector {
  readonly name: string;
  readonly everySeconds = 0;
  readonly #source: AccessLogSource;
  readonly #traffic: LoggedTraffic;
  readonly #tails = new Map<string, Tail>();
  readonly #missing = new Set<string>();
  #scanned = Number.NEGATIVE_INFINITY;
  #scannedAt = Date.now();

  constructor(source: AccessLogSource, routes: readonly string[]) {
    this.name = `${source.server} log ${source.path}`;
    this.#source = source;
    this.#traffic = new LoggedTraffic({ patterns: routes });
  }

  collect(_: number, clock: number): Findings {
    if (clock - this.#scanned >= SCAN_SECONDS * 1000) {
      this.#scan();
      this.#scanned = clock;
    }
    const { server, app, releaseLink } = this.#source;
    const release = releaseLink === undefined ? undefined : releaseOf(releaseLink);
    const parse = server === 'nginx' ? parseNginxLine : parseTomcatLine;
    const agent = { lines: 0, lines_unreadable: 0, log_skipped: 0 };
    const problems: Row<'problems'>[] = [];
    for (const [path, tail] of this.#tails) {
      try {
        const read = tail.read((line) => {
          const entry = parse(line);
          if (entry === undefined) agent.lines_unreadable++;
          else this.#traffic.record(named(entry, app, release));
        });
        agent.lines += read.lines + read.overlong;
        agent.lines_unreadable += read.overlong;
        agent.log_skipped += read.skippedBytes;
      } catch (error) {
        // One file that may not be read does not keep the others from being read.
        problems.push({ source: `${server} log ${path}`, message: (error as Error).message });
      }
    }
    return { agent, problems, routes: this.#traffic.take().map((counts) => toRow(server, counts)) };
  }

  close(): void {
    for (const tail of this.#tails.values()) tail.close();
  }

  /** Looks for files that are new, and for those that are gone. */
  #scan(): void {
    const files = existingFiles(this.#source.path);
    const before = this.#scannedAt - COARSE_CLOCK_MS;
    this.#scannedAt = Date.now();
    for (const { path, bornAt } of files) {
      // What was born since the last scan is read from its first line; what is older was there before, or is
      // a rotated log by another name.
      if (!this.#tails.has(path)) this.#tails.set(path, new Tail(path, { fromStart: bornAt > before }));
      this.#missing.delete(path);
    }
    for (const [path, tail] of this.#tails) {
      if (files.some((file) => file.path === path)) continue;
      // A log that is just being rotated has no name for a moment: it is followed until it is missing twice.
      if (!this.#missing.has(path)) this.#missing.add(path);
      else {
        tail.close();
        this.#tails.delete(path);
        this.#missing.delete(path);
      }
    }
  }
}

/** An entry with the names that its log left out. */
function named(entry: AccessLogEntry, app: string | undefined, release: string | undefined): AccessLogEntry {
  if (app === undefined && release === undefined) return entry;
  return { ...entry, app: entry.app || (app ?? ''), release: entry.release || (release ?? '') };
}

/**
 * The files that a path with `*` means, the latest first, and when each was made; none while the directory
 * does not exist.
 */
function existingFiles(path: string): { path: string; bornAt: number }[] {
  const pattern = basename(path);
  const directory = dirname(path);
  if (statSync(directory, { throwIfNoEntry: false }) === undefined) return [];
  return matchingNames(pattern.includes('*') ? readdirSync(directory) : [pattern], pattern)
    .map((name) => join(directory, name))
    .map((file) => ({ path: file, status: statSync(file, { throwIfNoEntry: false }) }))
    .filter(({ status }) => status?.isFile())
    .sort((a, b) => (b.status?.mtimeMs ?? 0) - (a.status?.mtimeMs ?? 0))
    .slice(0, MAX_FILES)
    .map(({ path: file, status }) => ({ path: file, bornAt: status?.birthtimeMs ?? 0 }));
}

/** Name of the directory that a link points to, e.g. `20240102-1f2e3d4`; none while there is no link. */
function releaseOf(link: string): string | undefined {
  try {
    return basename(readlinkSync(link));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
