/** A file under /proc that is read over and over: kept open, since opening costs more than reading. */
import { closeSync, openSync, readSync } from 'node:fs';

export class ProcFile {
  readonly #path: string;
  #fd: number | undefined;
  #buffer = Buffer.allocUnsafeSlow(4096);

  constructor(path: string) {
    this.#path = path;
  }

  /** The whole text now. @throws the system's error, e.g. where the kernel does not have the file. */
  read(): string {
    this.#fd ??= openSync(this.#path, 'r');
    let length = 0;
    for (;;) {
      const bytes = readSync(this.#fd, this.#buffer, length, this.#buffer.length - length, length);
      if (bytes === 0) return this.#buffer.toString('utf8', 0, length);
      length += bytes;
      if (length === this.#buffer.length) this.#grow();
    }
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(this.#buffer.length * 2);
    this.#buffer.copy(larger);
    this.#buffer = larger;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
