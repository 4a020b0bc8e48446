/** What backups need of the host besides its files: programs, and streams between them. */
import type { Host } from '../host.ts';

/** A program with its arguments, which hold no secret. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * What a stream does on its way. `seal`: its hash goes behind it. `open`: the seal is taken off and compared.
 */
export type Passage = 'seal' | 'open';

export interface Piped {
  /** Of the program that it came from, and of the one that it went to. */
  readonly from: Pick<Ran, 'code' | 'err'>;
  readonly to: Ran;
  /** It was stopped on the way, as was asked for. */
  readonly stopped: boolean;
  /** Without the seal. */
  readonly bytes: number;
  readonly sha256: string;
  /** `open`: whether the seal was there, and right. */
  readonly whole: boolean;
}

export type BackupFiles = Pick<
  Host,
  'read' | 'write' | 'append' | 'exists' | 'list' | 'makeFolder' | 'remove' | 'readLink'
> & {
  /** Renames without more; both lie on one disk. */
  move(from: string, to: string): Promise<void>;
  /** Bytes free for root on a folder's disk. */
  freeBytes(path: string): Promise<number>;
};

export interface BackupWorld {
  readonly files: BackupFiles;
  /** Milliseconds since 1970. */
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Runs a program to its end. @throws where there is no such program, or the time (ms) is up */
  run(command: Command, options?: { readonly input?: string; readonly timeoutMs?: number }): Promise<Ran>;
  /**
   * Streams from one program to another. Where the first one fails, the other is killed before it sees an
   * end, so that it cannot take half for the whole. `to` undefined: only counted and hashed. `stop` is asked
   * each second: true kills both.
   */
  pipe(
    from: Command,
    to: Command | undefined,
    passage: Passage | undefined,
    stop?: () => Promise<boolean>,
  ): Promise<Piped>;
  /** Whether a release of the application is being put into service here. */
  isReleasing(app: string): Promise<boolean>;
  /** Green's percentage of an application's traffic; undefined: it has no site here. */
  weights(app: string): Promise<number | undefined>;
}

/** Where a Go program was, which says nothing to people. */
const TRACE = /^(\s|\/|[\w./-]+\(|(runtime|main|sync|github\.com)[./])/;

/** Why a program failed, in its own words: the line that says so, else its last one. */
export function lastLine({ out, err }: Pick<Ran, 'err'> & { readonly out?: string }): string {
  const said = err.trim() === '' ? (out ?? '') : err;
  const lines = said.split('\n').filter((line) => line.trim() !== '' && !TRACE.test(line));
  const fatal = lines.findLast((line) => line.startsWith('Fatal: '))?.slice('Fatal: '.length);
  return (fatal ?? lines.at(-1) ?? 'it printed nothing').trim();
}
