/**
 * Droplets that exist and that no list shows yet: the API's lists lag behind, its networks know their
 * members.
 */
import type { VpcMember } from './answers.ts';
import type { Api } from './api.ts';
import { together } from './wait.ts';

/** Milliseconds after which a droplet that is in a network and in no list is on its way out, not in. */
export const LISTED_MS = 60_000;

/** Whether one of these networks (ids) has a droplet that the account's list lacks. */
export async function hasHiddenDroplets(api: Api, networks: ReadonlySet<string>): Promise<boolean> {
  const members = await together([...networks].map((id) => api.vpcMembers(id)));
  const ids = members.flat().flatMap((member) => dropletOf(member) ?? []);
  if (ids.length === 0) return false;
  const listed = new Set((await api.droplets()).map(({ id }) => id));
  return ids.some((id) => !listed.has(id));
}

/** The id of a network's member, if it is a droplet. */
export function dropletOf({ urn }: VpcMember): number | undefined {
  const id = /^do:droplet:(\d+)$/.exec(urn)?.[1];
  return id === undefined ? undefined : Number(id);
}
