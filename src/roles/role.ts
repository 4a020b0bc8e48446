/** What a role is. */

import type { Exposure } from '../cloud/provider.ts';
import type { Resource } from '../host/resource.ts';

/** What roles need to know of the environment that a host stands in. */
export interface RoleParams {
  /** Addresses of the hosts of this environment (public and private). */
  readonly fleet: readonly string[];
  /** Networks in CIDR notation that operators come from: nobody else reaches SSH. */
  readonly operators: readonly string[];
  /** Ports on which SSH may be reached: 22 and the inventory's. */
  readonly sshPorts: readonly number[];
  /** What the host's roles and applications open, besides SSH. */
  readonly exposures: readonly Exposure[];
  /** The host's memory as declared; absent: unknown. */
  readonly memoryBytes?: number | undefined;
  /** What applications want of the host's databases; absent: nothing special. */
  readonly databases?: DatabaseParams | undefined;
}

export interface DatabaseParams {
  /** Addresses of other hosts whose applications use its MariaDB. */
  readonly clients: readonly string[];
  /** Line for apt's sources that MongoDB comes from. */
  readonly repository?: string | undefined;
}

/** One role: what it puts on a host, and which ports it opens. */
export interface Role {
  readonly name: string;
  readonly resources: (params: RoleParams) => readonly Resource[];
  readonly exposures: readonly Exposure[];
}

/** A share of the host's memory in whole MiB, within bounds; the lower bound where the memory is unknown. */
export function mebibytes(params: RoleParams, share: number, least: number, most: number): number {
  const wanted = Math.floor(((params.memoryBytes ?? 0) * share) / 2 ** 20);
  return Math.min(most, Math.max(least, wanted));
}
