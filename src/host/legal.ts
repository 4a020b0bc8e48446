/**
 * What names and paths of resources may be: what the scripts can carry and the host's own programs accept.
 */

import { Failure } from '../errors.ts';
import { id, type Resource } from './resource.ts';

/** Absolute, without what climbs, and without what find, sha256sum or bash would read in another way. */
const PATH = /^(\/(?!\.{1,2}(\/|$))[^/\p{Cc}'"\\$`[\]*?]+)+$/u;
const UNIT = /^[A-Za-z0-9:_.@-]+\.(service|socket|timer|path|mount|swap|target|slice)$/;
/** Debian policy 5.6.1. */
const PACKAGE = /^[a-z0-9][a-z0-9+.-]+$/;
/** What Debian's useradd accepts. */
const USER = /^[a-z_][a-z0-9_-]{0,31}$/;
const TABLE = /^(inet|ip|ip6|arp|bridge|netdev) [A-Za-z_][A-Za-z0-9_]*$/;

/** @throws Failure `internal` for a resource that no script could carry: a fault of the role that says it. */
export function requireLegal(resources: readonly Resource[]): void {
  for (const resource of resources) {
    const fault = faultOf(resource);
    if (fault !== undefined)
      throw new Failure('internal', `${id(resource)}: ${fault}`, { step: id(resource) });
  }
}

function faultOf(resource: Resource): string | undefined {
  switch (resource.kind) {
    case 'file':
    case 'absent':
    case 'directory':
    case 'link':
      if (!PATH.test(resource.path)) return 'this is not a plain absolute path';
      return resource.kind === 'absent' && resource.path.split('/').length < 3
        ? 'a folder of the system will not be removed'
        : undefined;
    case 'package':
      return PACKAGE.test(resource.name) ? undefined : 'this is not the name of a Debian package';
    case 'user':
      return USER.test(resource.name) ? undefined : 'this is not the name of a user';
    case 'service':
      return UNIT.test(resource.unit) ? undefined : 'this is not the name of a systemd unit with its suffix';
    case 'firewall':
      return TABLE.test(resource.table) ? undefined : 'this is not a family and a name of nftables';
    case 'command':
    case 'theirs':
      return /[\p{Cc}]/u.test(resource.name) ? 'this is not a name for people' : undefined;
  }
}
