/**
 * What a service or command was last given: remembered on the host, so that a restart that is due survives a
 * crash.
 */

import { createHash } from 'node:crypto';
import { id, type Resource } from './resource.ts';
import type { Facts } from './state.ts';

/** Where the host keeps what its services were last started with; root only. */
export const STAMP_FOLDER = '/var/lib/pipeline/converge';

/** SHA-256, hexadecimal. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The stamp file of a service or command. */
export function stampPath(resourceId: string): string {
  return `${STAMP_FOLDER}/${sha256(resourceId).slice(0, 32)}`;
}

/**
 * Stands for what a resource puts on the host: equal exactly where the results are equal. 16 bytes,
 * hexadecimal.
 */
export function fingerprint(resource: Resource): string {
  return sha256(JSON.stringify(effect(resource))).slice(0, 32);
}

/** What of a resource others can notice. How it gets there, and what it waits for, is not part of it. */
function effect(resource: Resource): readonly unknown[] {
  switch (resource.kind) {
    case 'file':
      return [resource.content, resource.mode ?? '', resource.owner ?? '', resource.group ?? ''];
    case 'directory':
      return [resource.mode ?? '', resource.owner ?? '', resource.group ?? ''];
    case 'link':
      return [resource.target];
    case 'user':
      return [resource.home ?? '', resource.shell ?? '', resource.groups ?? []];
    case 'firewall':
      return [resource.rules];
    case 'command':
      return [resource.run];
    case 'package':
      return [resource.state ?? 'installed'];
    case 'absent':
    case 'service':
    case 'theirs':
      return [resource.kind];
  }
}

/** The resources that make this one act when they change. */
export function dependencies(resource: Resource): readonly string[] {
  const own =
    resource.kind === 'service' ? [...(resource.restartOn ?? []), ...(resource.reloadOn ?? [])] : [];
  return [...new Set([...own, ...(resource.after ?? [])])];
}

/** Why a resource has to act although it is itself as it should be. */
export interface Due {
  /** Ids of what changes now or changed since it last acted. */
  readonly because: readonly string[];
  /** In a few words. */
  readonly reason: string;
}

/** Which of `watched` changed since the resource last acted, or change in this plan; undefined: none. */
export function due(
  resource: Resource,
  watched: readonly string[],
  known: ReadonlyMap<string, Resource>,
  changed: ReadonlySet<string>,
  facts: Facts,
): Due | undefined {
  const stamp = facts.stamps[id(resource)];
  const now = watched.filter((dependency) => changed.has(dependency));
  if (now.length > 0)
    return { because: now, reason: `${names(now)} ${now.length === 1 ? 'changes' : 'change'}` };
  const since = watched.filter((dependency) => {
    const current = known.get(dependency);
    return current !== undefined && stamp?.[dependency] !== fingerprint(current);
  });
  if (since.length === 0) return undefined;
  const verb = resource.kind === 'service' ? 'started' : 'run';
  return {
    because: since,
    reason:
      stamp === undefined
        ? `it is not known with what it was last ${verb}`
        : `${names(since)} changed since it was last ${verb}`,
  };
}

function names(ids: readonly string[]): string {
  const shown = ids.slice(0, 2).map((text) => text.replace(/^file /, ''));
  return ids.length > 2 ? `${shown.join(', ')} and ${ids.length - 2} more` : shown.join(' and ');
}
