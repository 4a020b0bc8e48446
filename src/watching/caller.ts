/** Who asks for something of the monitor: a command, with what it was given. */
import type { Context } from '../context.ts';

export interface Caller {
  readonly context: Context;
  readonly common: {
    /** Path of pipeline.yml; absent: the one here or in a folder above. */
    readonly config?: string | undefined;
  };
  /** Shows people one line. */
  readonly output: { line(text: string): void };
}
