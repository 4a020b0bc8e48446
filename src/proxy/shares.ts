/**
 * Which buckets of visitors a rollout's candidate gets. Each rollout draws them from a seed of its own, so
 * nobody is always among the first, and without the seed nobody can tell where a key leads. Pure.
 */
import { createHash } from 'node:crypto';
import type { Colour } from '../contract/places.ts';
import { Failure } from '../errors.ts';

/**
 * Visitors are divided by tenths of a per cent, in rows and columns. nginx searches a list from its start, so
 * two short lists cost a request less than one of 1,000 buckets.
 */
export const SHARE_ROWS = 25;
export const SHARE_COLUMNS = 40;
export const SHARE_BUCKETS = SHARE_ROWS * SHARE_COLUMNS;

/** A folder for `weights` to link to: what nginx finds there goes to green. */
export interface ShareFolder {
  readonly name: string;
  readonly files: readonly string[];
}

export interface Share {
  /** As `Split` has it. */
  readonly rollout: string;
  /** Secret, at least 16 random bytes, e.g. in hex. */
  readonly seed: string;
  /** On a balancer, where the files mean the candidate itself: `green`. */
  readonly candidate: Colour;
  /** 0 to 100, with one decimal. At 0 only testers get the candidate. */
  readonly percent: number;
}

/** All buckets, in the order in which the candidate gets them. */
export function bucketOrder(seed: string): readonly number[] {
  const rank = (bucket: number) => createHash('sha256').update(`${seed}:${bucket}`).digest('hex');
  return Array.from({ length: SHARE_BUCKETS }, (_, bucket) => ({ bucket, rank: rank(bucket) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ bucket }) => bucket);
}

/** The name of a bucket's file: row and column. */
function fileOf(bucket: number): string {
  return `${Math.floor(bucket / SHARE_COLUMNS)}.${bucket % SHARE_COLUMNS}`;
}

/**
 * The folder for a share. A larger share has all buckets of a smaller one with the same seed. The file named
 * after a side is there if that side is green: for testers, sessions, and hosts that obey a balancer.
 * @throws Failure kind `usage` if `percent` is no share.
 */
export function shareFolder({ rollout, seed, candidate, percent }: Share): ShareFolder {
  const buckets = Math.round(percent * 10);
  if (!(percent >= 0 && percent <= 100) || Math.abs(buckets - percent * 10) > 1e-6) {
    throw new Failure('usage', `${percent} % is no share for a candidate`, {
      next: 'Give a share from 0 to 100 with at most one decimal, e.g. 0.5.',
    });
  }
  const order = bucketOrder(seed);
  const green = candidate === 'green' ? order.slice(0, buckets) : order.slice(buckets);
  return {
    name: `w${green.length / 10}-${rollout}`,
    files: [...green.map(fileOf), candidate === 'green' ? 'candidate' : 'baseline'],
  };
}
