/** One of an application's hosts, by name. */
import { closest, Failure } from '../errors.ts';
import type { AppOnHosts, ReleaseHost } from './types.ts';

/** @throws Failure kind `usage`, with the names that there are */
export function hostNamed({ app, hosts }: AppOnHosts, wanted: string): ReleaseHost {
  const found = hosts.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const names = hosts.map(({ name }) => name);
  const guess = closest(wanted, names);
  throw new Failure('usage', `${app} is not on a host "${wanted}"`, {
    next: guess === undefined ? `Its hosts: ${names.join(', ')}` : `Did you mean ${guess}?`,
  });
}
