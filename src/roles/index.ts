/** The roles by name: from parameters to what a host should be. */

import type { Exposure } from '../cloud/provider.ts';
import { closest, Failure } from '../errors.ts';
import type { Resource } from '../host/resource.ts';
import { acme } from './acme.ts';
import { base } from './base.ts';
import { ferretdb } from './ferretdb.ts';
import { mariadb } from './mariadb.ts';
import { mongodb } from './mongodb.ts';
import { monitor } from './monitor.ts';
import { nginx } from './nginx.ts';
import { nodeService } from './node-service.ts';
import { redis } from './redis.ts';
import type { Role, RoleParams } from './role.ts';
import { tomcat } from './tomcat.ts';

export type { RoleParams } from './role.ts';

const ROLES: ReadonlyMap<string, Role> = new Map(
  [base, acme, nginx, nodeService, redis, mariadb, mongodb, ferretdb, tomcat, monitor].map((role) => [
    role.name,
    role,
  ]),
);

/** What the role puts on a host. @throws Failure `usage` for a role that does not exist. */
export function rolesFor(name: string, params: RoleParams): readonly Resource[] {
  return named(name).resources(params);
}

/** Resources, and Debian packages that applications need besides: each once. */
export function withPackages(
  resources: readonly Resource[],
  packages: readonly string[],
): readonly Resource[] {
  const known = new Set(resources.flatMap((one) => (one.kind === 'package' ? [one.name] : [])));
  const missing = [...new Set(packages)].filter((name) => !known.has(name));
  return [...resources, ...missing.map((name): Resource => ({ kind: 'package', name }))];
}

/** The ports that the role opens. @throws Failure `usage` for a role that does not exist. */
export function exposuresOf(name: string): readonly Exposure[] {
  return named(name).exposures;
}

function named(name: string): Role {
  const role = ROLES.get(name);
  if (role !== undefined) return role;
  const near = closest(name, ROLES.keys());
  throw new Failure('usage', `there is no role "${name}"`, {
    next: near === undefined ? `Roles are ${[...ROLES.keys()].join(', ')}.` : `Did you mean ${near}?`,
  });
}
