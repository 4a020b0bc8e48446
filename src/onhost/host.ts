/**
 * The few verbs by which a release works on a host. Steps know nothing else, so a fake host can fail or stop
 * at any of them. Paths are absolute. What cannot be done throws.
 */

import type { OtherSite } from '../contract/release.ts';
import type { ShareFolder } from '../proxy/shares.ts';

/** What systemd knows of a unit. */
export interface ServiceState {
  /** `active`, `activating`, `deactivating`, `failed`, `inactive`. */
  readonly active: string;
  /** How often it restarted by itself. */
  readonly restarts: number;
  /** Why it ended: `exit-code`, `oom-kill`, … */
  readonly result: string;
  /** Of the last run that ended. */
  readonly exitCode: string;
}

/** What a health check said, and whether anything answered. */
export interface CheckResult {
  readonly healthy: boolean;
  readonly silent: boolean;
  /** E.g. `GET / → 500, wanted 200`. */
  readonly said: string;
}

/** A hook of the application's definition. */
export interface HookCommand {
  readonly unit: string;
  readonly command: string;
  readonly user: string;
  readonly directory: string;
  readonly environmentFile: string;
  readonly path: string;
  /** Further variables, `NAME=value`. */
  readonly variables: readonly string[];
  readonly state: string;
  readonly seconds: number;
}

export interface Host {
  /** The Node that runs this program, and so is in use. */
  readonly executable: string;
  /** Milliseconds since 1970. */
  now(): number;
  /** The journal's time: seconds with six decimals. */
  journalTime(): string;
  sleep(ms: number): Promise<void>;

  /** undefined: there is no such file. */
  read(path: string): Promise<string | undefined>;
  /** Atomic, and on disk before it has its name. Makes missing folders. */
  write(path: string, text: string, mode: number): Promise<void>;
  /** One write, so that writers' lines do not mix; a new file has mode 0640. */
  append(path: string, text: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Names in a folder; none without the folder. */
  list(path: string): Promise<readonly string[]>;
  makeFolder(path: string, mode?: number): Promise<void>;
  /** Removes a file, a link, or a whole folder, if there is one. */
  remove(path: string): Promise<void>;
  /** Syncs it, then gives it its name. */
  rename(from: string, to: string): Promise<void>;
  /** Replaces an existing link in one step. */
  link(target: string, path: string): Promise<void>;
  readLink(path: string): Promise<string | undefined>;
  /** Milliseconds since 1970; undefined: there is no such file. */
  changedAt(path: string): Promise<number | undefined>;
  sha256(path: string): Promise<string | undefined>;
  /** Free space on a folder's disk, for people, e.g. `1.2G`. */
  free(path: string): Promise<string>;
  /** Runs a program without input. @returns its exit code and all that it printed */
  run(program: string, ...args: readonly string[]): Promise<{ readonly code: number; readonly said: string }>;

  /** Runs a program with our own input and outputs; our signals end it only if it heeds them. */
  attached(program: string, ...args: readonly string[]): Promise<number>;

  /** Loaded units of this pattern that are not inactive. */
  loaded(
    ...patterns: readonly string[]
  ): Promise<readonly { readonly unit: string; readonly active: string }[]>;
  unit(unit: string): Promise<ServiceState>;
  /** When a timer's time comes next, in milliseconds since 1970; undefined: never. */
  nextElapse(timer: string): Promise<number | undefined>;
  /** Starts and waits; false if systemd refuses. */
  start(unit: string): Promise<boolean>;
  /** Stops, waits, and forgets failures. */
  stop(...units: readonly string[]): Promise<void>;
  /** Restarts without waiting. */
  restart(unit: string): Promise<void>;
  reloadUnits(): Promise<void>;
  /** What a unit's own processes printed since then (a journalTime), without systemd's lines. */
  log(unit: string, since: string): Promise<readonly string[]>;
  /** Exit code of the previous run, as systemd reported it since then. */
  lastExit(unit: string, since: string): Promise<string>;

  /** Who listens on a port; undefined: nobody; empty: a program without a name. */
  listener(port: number): Promise<string | undefined>;
  /** Addresses that a unit's processes listen on. */
  listensOn(unit: string): Promise<readonly string[]>;
  /** How many connections lead to these addresses (`127.0.0.1:21000`). */
  connections(addresses: readonly string[]): Promise<number>;
  /**
   * Asks another host's site. @returns a short text answered with 200; undefined: another answer, or none
   * in some seconds.
   */
  ask(where: OtherSite & { readonly address: string }, path: string): Promise<string | undefined>;
  /** Runs the release's own `check`. */
  check(folder: string, address: string): Promise<CheckResult>;

  /** Green's percentage of the traffic; undefined: there is no such site. */
  weights(app: string): Promise<number | undefined>;
  moveTraffic(app: string, green: number): Promise<void>;
  /** @returns whether nginx was reloaded, or why it refused; then the previous site stays. */
  putSite(
    app: string,
    text: string,
  ): Promise<{ readonly changed: boolean } | { readonly refused: readonly string[] }>;

  /** Gives a rollout's candidate its share of the visitors. */
  shareTraffic(app: string, share: ShareFolder): Promise<void>;
  /**
   * A place for what nginx tells of a rollout, before the site that tells it; and its end, after that one.
   */
  beginSplit(app: string): Promise<void>;
  endSplit(app: string): Promise<void>;
  /**
   * Whole lines from an offset on, at most some MB, and where the next ones begin; freed once they are read.
   */
  takeLines(
    path: string,
    from: number,
  ): Promise<{ readonly lines: readonly string[]; readonly next: number }>;

  /** Runs it to its end; `onLine` gets each line that it prints, and undefined for each silent second. */
  hook(hook: HookCommand, onLine: (line: string | undefined) => void): Promise<number>;
}
