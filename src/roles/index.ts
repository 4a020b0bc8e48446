/** The roles by name: from parameters to what a host should be. */

import type { Exposure } from '../cloud/provider.ts';
import { closest, Failure } from '../errors.ts';
import type { Resource } from '../host/resource.ts';

/** What roles need to know of the environment that a host stands in. */
export interface RoleParams {
  /** Addresses of the hosts of this environment (public and private). */
  readonly fleet: readonly string[];
  /** Networks in CIDR notation that operators come from; empty: anywhere. */
  readonly operators: readonly string[];
  /** Ports on which SSH may be reached: 22 and the inventory's. */
  readonly sshPorts: readonly number[];
  /** What the host's roles and applications open, besides SSH. */
  readonly exposures: readonly Exposure[];
  /** The host's memory as declared; absent: unknown. */
  readonly memoryBytes?: number | undefined;
}

/** One role: what it puts on a host, and which ports it opens. */
export interface Role {
  readonly name: string;
  readonly resources: (params: RoleParams) => readonly Resource[];
  readonly exposures: readonly Exposure[];
}

const ROLES: Readonly<Record<string, Role>> = {};

function role(name: string): Role {
  const found = ROLES[name];
  if (found !== undefined) return found;
  const near = closest(name, Object.keys(ROLES));
  throw new Failure('usage', `There is no role "${name}".`, {
    next: near === undefined ? `Roles are: ${Object.keys(ROLES).join(', ')}.` : `Did you mean "${near}"?`,
  });
}

/** What the role puts on a host. */
export function rolesFor(name: string, params: RoleParams): readonly Resource[] {
  return role(name).resources(params);
}

/** The ports that the role opens. */
export function exposuresOf(name: string): readonly Exposure[] {
  return role(name).exposures;
}
