/**
 * Follows a log file through rotation (rename and create), truncation (copytruncate) and bursts, with bounded
 * memory.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

const CHUNK_BYTES = 64 * 1024;
/** We never write lines longer than this: they are dropped and counted. */
const MAX_LINE_BYTES = 64 * 1024;
/** How much of the file's start is compared to detect new content. */
const HEAD_BYTES = 64;

export interface TailOptions {
  /** Read what the file holds at the first look; else only what is added later. */
  readonly fromStart?: boolean | undefined;
  /** Most bytes read per call; default 16 MiB (40,000 lines). */
  readonly maxBytesPerRead?: number | undefined;
  /** If the reader is further behind, the rest is skipped and counted; default 64 MiB. */
  readonly maxBacklogBytes?: number | undefined;
  /**
   * Calls after a rotation during which the old file is still read, since nginx's workers close it late;
   * default 3.
   */
  readonly drainReads?: number | undefined;
}

/** What one call of `read` came across besides lines. */
export interface TailRead {
  lines: number;
  /** Lines dropped since they were too long. */
  overlong: number;
  skippedBytes: number;
}

interface OpenFile {
  readonly fd: number;
  readonly inode: number;
  offset: number;
  /** The first bytes of the file, as far as it had any when last read. */
  head: Buffer;
  /** Bytes after the last newline. */
  rest: Buffer;
  /** Inside a line that was too long. */
  dropping: boolean;
}

const EMPTY = Buffer.alloc(0);

export class Tail {
  readonly path: string;
  readonly #options: { [option in keyof TailOptions]-?: NonNullable<TailOptions[option]> };
  readonly #chunk: Buffer;
  #current: OpenFile | undefined;
  #draining: { file: OpenFile; readsLeft: number }[] = [];
  #firstLook = true;

  constructor(path: string, options: TailOptions = {}) {
    this.path = path;
    this.#options = {
      fromStart: options.fromStart ?? false,
      maxBytesPerRead: options.maxBytesPerRead ?? 16 * 1024 * 1024,
      maxBacklogBytes: options.maxBacklogBytes ?? 64 * 1024 * 1024,
      drainReads: options.drainReads ?? 3,
    };
    this.#chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, this.#options.maxBytesPerRead));
  }

  /**
   * Hands every complete line that was added since the last call to `onLine`. A file that does not exist yet
   * has no lines.
   * @throws the system's error where the file is there and cannot be read.
   */
  read(onLine: (line: string) => void): TailRead {
    const result: TailRead = { lines: 0, overlong: 0, skippedBytes: 0 };
    this.#follow();
    let budget = this.#options.maxBytesPerRead;
    for (const old of this.#draining) {
      budget -= this.#readFile(old.file, budget, onLine, result);
      if (--old.readsLeft <= 0) closeSync(old.file.fd);
    }
    this.#draining = this.#draining.filter((old) => old.readsLeft > 0);
    if (this.#current !== undefined) this.#readFile(this.#current, budget, onLine, result);
    return result;
  }

  close(): void {
    for (const file of [this.#current, ...this.#draining.map((old) => old.file)]) {
      if (file !== undefined) closeSync(file.fd);
    }
    this.#current = undefined;
    this.#draining = [];
  }

  /** Opens the file that the path names now, where it is another one than before. */
  #follow(): void {
    const firstLook = this.#firstLook;
    this.#firstLook = false;
    const status = statSync(this.path, { throwIfNoEntry: false });
    if (status === undefined || status.ino === this.#current?.inode) return;
    const fd = openSync(this.path, 'r');
    const { ino, size } = fstatSync(fd);
    if (this.#current !== undefined) {
      this.#draining.push({ file: this.#current, readsLeft: this.#options.drainReads });
    }
    // A file that appears later is new: all of it counts.
    const offset = firstLook && !this.#options.fromStart ? size : 0;
    this.#current = { fd, inode: ino, offset, head: EMPTY, rest: EMPTY, dropping: false };
    this.#rememberHead(this.#current, size);
  }

  #readFile(file: OpenFile, budget: number, onLine: (line: string) => void, result: TailRead): number {
    const { size } = fstatSync(file.fd);
    if (size < file.offset || (size > file.offset && this.#headChanged(file))) {
      file.offset = 0;
      file.rest = EMPTY;
      file.dropping = false;
      file.head = EMPTY;
    }
    if (size - file.offset > this.#options.maxBacklogBytes) {
      const skipped = size - file.offset - this.#options.maxBytesPerRead;
      result.skippedBytes += skipped;
      file.offset += skipped;
      file.rest = EMPTY;
      file.dropping = true; // the position is inside some line
    }
    this.#rememberHead(file, size);
    let used = 0;
    while (file.offset < size && used < budget) {
      const length = Math.min(this.#chunk.length, size - file.offset, budget - used);
      const bytes = readSync(file.fd, this.#chunk, 0, length, file.offset);
      if (bytes === 0) break;
      file.offset += bytes;
      used += bytes;
      splitLines(file, this.#chunk.subarray(0, bytes), onLine, result);
    }
    return used;
  }

  #rememberHead(file: OpenFile, size: number): void {
    if (file.head.length >= HEAD_BYTES || size <= file.head.length) return;
    const head = Buffer.alloc(Math.min(HEAD_BYTES, size));
    file.head = head.subarray(0, readSync(file.fd, head, 0, head.length, 0));
  }

  #headChanged(file: OpenFile): boolean {
    const now = Buffer.alloc(file.head.length);
    return readSync(file.fd, now, 0, now.length, 0) !== now.length || !now.equals(file.head);
  }
}

/**
 * Decodes up to the last newline at once: a character never lies across two chunks, and one string is cheaper
 * than many.
 */
function splitLines(file: OpenFile, chunk: Buffer, onLine: (line: string) => void, result: TailRead): void {
  let begin = 0;
  if (file.dropping) {
    const newline = chunk.indexOf(10);
    if (newline < 0) return;
    file.dropping = false;
    begin = newline + 1;
  }
  const end = chunk.lastIndexOf(10) + 1;
  if (end > begin) {
    const whole = file.rest.length === 0 ? chunk : Buffer.concat([file.rest, chunk.subarray(begin, end)]);
    const text = file.rest.length === 0 ? whole.toString('utf8', begin, end) : whole.toString('utf8');
    file.rest = EMPTY;
    for (let from = 0, to = text.indexOf('\n'); to >= 0; from = to + 1, to = text.indexOf('\n', from)) {
      if (to > from) {
        result.lines++;
        onLine(text.slice(from, to));
      }
    }
    begin = end;
  }
  if (begin < chunk.length) file.rest = Buffer.concat([file.rest, chunk.subarray(begin)]);
  if (file.rest.length > MAX_LINE_BYTES) {
    file.rest = EMPTY;
    file.dropping = true;
    result.overlong++;
  }
}
