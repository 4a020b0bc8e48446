/**
 * What a release does to a host, as the few verbs that it needs. The steps know nothing else, so that a fake
 * host can fail or stop at any of them. Paths are absolute. What cannot be done throws.
 */

import type { ShareFolder } from '../proxy/shares.ts';

/** What systemd knows of a unit. */
export interface UnitState {
  /** `active`, `activating`, `deactivating`, `failed`, `inactive`. */
  readonly active: string;
  /** How often it was started again by itself. */
  readonly restarts: number;
  /** Why it ended: `exit-code`, `oom-kill`, … */
  readonly result: string;
  /** Of the run that ended last. */
  readonly exitCode: string;
}

/** What a health check said, and whether anything answered at all. */
export interface CheckResult {
  readonly healthy: boolean;
  readonly silent: boolean;
  /** E.g. `GET / → 500, wanted 200`. */
  readonly said: string;
}

/** A command of the application's definition. */
export interface HookCommand {
  readonly unit: string;
  readonly command: string;
  readonly user: string;
  readonly directory: string;
  readonly environmentFile: string;
  readonly path: string;
  readonly state: string;
  readonly seconds: number;
}

export interface Host {
  /** The Node that runs this program: it is in use. */
  readonly executable: string;
  /** Milliseconds since 1970. */
  now(): number;
  /** As the journal counts: seconds with six decimals. */
  journalTime(): string;
  sleep(ms: number): Promise<void>;

  /** undefined: there is no such file. */
  read(path: string): Promise<string | undefined>;
  /** Whole or not at all, and on the disk before it has its name. Missing folders are made. */
  write(path: string, text: string, mode: number): Promise<void>;
  /** One write, so that lines of several writers do not mix; the file is made with mode 0640. */
  append(path: string, text: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Names in a folder; none where there is none. */
  list(path: string): Promise<readonly string[]>;
  makeFolder(path: string, mode?: number): Promise<void>;
  /** A file, a link, or a folder with all below it; nothing where there is none. */
  remove(path: string): Promise<void>;
  /** Syncs what is moved, then gives it its name. */
  rename(from: string, to: string): Promise<void>;
  /** Replaces a link that is there, in one step. */
  link(target: string, path: string): Promise<void>;
  readLink(path: string): Promise<string | undefined>;
  /** Milliseconds since 1970; undefined: there is no such file. */
  changedAt(path: string): Promise<number | undefined>;
  sha256(path: string): Promise<string | undefined>;
  /** Free space of the disk below a folder, for people, e.g. `1.2G`. */
  free(path: string): Promise<string>;
  /** Runs a program without input; returns its exit code and all that it printed. */
  run(program: string, ...args: readonly string[]): Promise<{ readonly code: number; readonly said: string }>;

  /** Loaded units of this pattern that are not inactive. */
  loaded(
    ...patterns: readonly string[]
  ): Promise<readonly { readonly unit: string; readonly active: string }[]>;
  unit(unit: string): Promise<UnitState>;
  /** Starts and waits; false where systemd says no. */
  start(unit: string): Promise<boolean>;
  /** Stops and waits, and forgets failures. */
  stop(...units: readonly string[]): Promise<void>;
  /** Starts again without waiting. */
  restart(unit: string): Promise<void>;
  reloadUnits(): Promise<void>;
  /** What a unit's own processes printed since then (a journalTime), without systemd's lines. */
  log(unit: string, since: string): Promise<readonly string[]>;
  /** Exit code of the run before this one, as systemd told it since then. */
  lastExit(unit: string, since: string): Promise<string>;

  /** Who listens on a port; undefined: nobody. Empty: a program without a name. */
  listener(port: number): Promise<string | undefined>;
  /** Addresses that a unit's processes listen on. */
  listensOn(unit: string): Promise<readonly string[]>;
  /** How many connections go to these addresses (`127.0.0.1:21000`). */
  connections(addresses: readonly string[]): Promise<number>;
  /** Runs the release's own `check`. */
  check(folder: string, address: string): Promise<CheckResult>;

  /** Green's share of the traffic, per cent; undefined: there is no such site. */
  weights(app: string): Promise<number | undefined>;
  moveTraffic(app: string, green: number): Promise<void>;
  /** @returns whether nginx was reloaded, or why it refused; then the site of before stays. */
  putSite(
    app: string,
    text: string,
  ): Promise<{ readonly changed: boolean } | { readonly refused: readonly string[] }>;

  /** Gives a rollout's candidate its share of the visitors. */
  shareTraffic(app: string, share: ShareFolder): Promise<void>;
  /** A place for what nginx tells of a rollout, before the site that tells it; and its end, after that one. */
  beginSplit(app: string): Promise<void>;
  endSplit(app: string): Promise<void>;
  /** Whole lines from an offset on, at most some MB, and where the next ones begin; freed once they are read. */
  takeLines(
    path: string,
    from: number,
  ): Promise<{ readonly lines: readonly string[]; readonly next: number }>;

  /** Runs it to its end; `onLine` gets what it prints, and undefined for each second of silence. */
  hook(hook: HookCommand, onLine: (line: string | undefined) => void): Promise<number>;
}
