/**
 * The kinds of failure, each with its exit code.
 *
 * A failure is thrown once, where its cause is known, and shown once, at the top of the command line.
 */

/** What went wrong, seen from the user: whose turn it is to act. */
export type FailureKind =
  /** a fault of ours: a bug */
  | 'internal'
  /** the user's mistake: command line, configuration, missing token or file */
  | 'usage'
  /** a host did not do what it should */
  | 'host'
  /** the cloud's API or network did not do what it should */
  | 'cloud'
  /** somebody else holds the lock */
  | 'locked'
  /** the candidate was rejected */
  | 'rejected'
  /** the evidence did not suffice for a verdict */
  | 'inconclusive'
  /** the user stopped the command */
  | 'interrupted';

/** Exit codes of the command line (the specification's table; 130 is the shell's convention for Ctrl-C). */
export const EXIT_CODES: Readonly<Record<FailureKind, number>> = {
  internal: 1,
  usage: 2,
  host: 3,
  cloud: 3,
  locked: 4,
  rejected: 5,
  inconclusive: 6,
  interrupted: 130,
};

/** What a failure can say besides its message. */
export interface FailureDetails {
  /** Name of the host that failed, as the inventory has it. */
  readonly host?: string | undefined;
  /** The step that failed, e.g. `package nginx`. */
  readonly step?: string | undefined;
  /** What to do next, as one sentence or command. */
  readonly next?: string | undefined;
  /** Lines that the failing program printed last, free of secrets. */
  readonly output?: readonly string[] | undefined;
  /** The error underneath. */
  readonly cause?: unknown;
}

/**
 * A failure that the user can understand: one sentence about the cause, and the next step.
 *
 * The sentence stands by itself: it names the host (`web-1: …`) and the step where that tells more. The
 * fields are for programs, and nobody puts them before the sentence.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly kind: FailureKind;
  readonly host: string | undefined;
  readonly step: string | undefined;
  readonly next: string | undefined;
  readonly output: readonly string[];

  constructor(kind: FailureKind, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.host = details.host;
    this.step = details.step;
    this.next = details.next;
    this.output = details.output ?? [];
  }

  get exitCode(): number {
    return EXIT_CODES[this.kind];
  }
}

/** Whatever was thrown, as a failure: what is not one of ours is a fault of ours. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return new Failure('internal', error.message, {
    cause: error,
    next:
      'This is a fault of pipeline itself. ' +
      'Run the command again with --verbose and report what it prints.',
  });
}

/** The word among `known` that is nearest to `word` (edit distance at most a third of its length), if any. */
export function closest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
