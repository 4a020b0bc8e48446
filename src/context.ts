/** What a command hands to everything below it: nothing of this is ambient. */

/** One line of progress. The command line draws it; nothing else depends on it. */
export interface ProgressEvent {
  /** The host it is about; absent for what concerns no single host. */
  readonly host?: string | undefined;
  /**
   * What is being done, e.g. `installing nginx` or `base image`. Events with the same host and stage belong
   * together.
   */
  readonly stage: string;
  readonly state: 'started' | 'running' | 'done' | 'failed' | 'skipped';
  /** What is worth knowing about it, e.g. `8.1 MB` or `10.77.4.11`. */
  readonly detail?: string | undefined;
  /** Steps finished and in all, where they can be counted. */
  readonly count?: { readonly done: number; readonly of: number } | undefined;
}

export interface Context {
  /** The environment variables that the program was started with. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that the program was started in. */
  readonly cwd: string;
  /** Aborted at Ctrl-C: whatever waits must stop waiting and throw `signal.reason`. */
  readonly signal: AbortSignal;
  readonly progress: (event: ProgressEvent) => void;
  /** With `--verbose`: remote commands, API calls and their output. Never given a secret. */
  readonly trace: (line: string) => void;
  readonly now: () => Date;
}

/** A context for libraries and tests: silent, real clock, this process's environment. */
export function quietContext(overrides: Partial<Context> = {}): Context {
  return {
    env: process.env,
    cwd: process.cwd(),
    signal: new AbortController().signal,
    progress: () => {},
    trace: () => {},
    now: () => new Date(),
    ...overrides,
  };
}
