/** What a kind of step consists of. */

import { quote } from '../../ssh/quote.ts';
import type { ChangeAction } from '../change.ts';
import type { Due } from '../fingerprint.ts';
import type { Resource } from '../resource.ts';
import type { Facts } from '../state.ts';

/** How one aspect of a host is asked for: bash that prints lines, and what the lines mean. */
export interface Probe<Part> {
  /** Bash; prints no line that begins with `@@`. Empty: nothing to ask. */
  readonly script: (resources: readonly Resource[]) => string;
  readonly parse: (lines: readonly string[], resources: readonly Resource[]) => Part;
}

/** What a comparison may look at besides the facts. */
export interface Surroundings {
  /** Whether one of these resources changed or changes; undefined: no. */
  readonly due: (resource: Resource, watched: readonly string[]) => Due | undefined;
  /** Ids of what changes before this resource in the same plan. */
  readonly changed: ReadonlySet<string>;
  /** Whether systemd has not read its unit files since one of them changed. */
  readonly unitFilesChanged: boolean;
}

/**
 * The packages that are installed before this resource in the same plan, and may bring what is not there yet.
 */
export function arriving({ changed }: Surroundings): readonly string[] {
  return [...changed].filter((id) => id.startsWith('package '));
}

/** How a resource differs from the facts. */
export interface Difference {
  readonly action: ChangeAction;
  readonly diff: readonly string[];
  readonly reason?: string | undefined;
  /** Ids of the resources whose change makes this one act. */
  readonly because?: readonly string[] | undefined;
  /** Present: it replaces what somebody else wrote, and this becomes of it. */
  readonly theirs?: string | undefined;
  /** For progress: `installing nginx`. */
  readonly doing: string;
  /** Bash that mends it, run with `set -e`, standard input empty. May use the functions of `script.ts`. */
  readonly script: string;
}

/** Compares; undefined: as it should be. */
export type Compare<R extends Resource> = (
  resource: R,
  facts: Facts,
  around: Surroundings,
) => Difference | undefined;

/** The resources of some kinds. */
export function only<K extends Resource['kind']>(
  resources: readonly Resource[],
  ...kinds: readonly K[]
): Extract<Resource, { kind: K }>[] {
  const wanted: readonly string[] = kinds;
  return resources.filter((resource): resource is Extract<Resource, { kind: K }> =>
    wanted.includes(resource.kind),
  );
}

/** Words for a command line, each once. */
export function words(values: Iterable<string>): string {
  return [...new Set(values)].map(quote).join(' ');
}

/** `- before` and `+ after`, where they differ. */
export function changeOf(label: string, before: string | undefined, after: string): readonly string[] {
  if (before === after) return [];
  return [...(before === undefined ? [] : [`-${label} ${before}`]), `+${label} ${after}`];
}
