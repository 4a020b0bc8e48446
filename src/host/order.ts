/** In which order resources are brought about. */

import { Failure } from '../errors.ts';
import { dependencies } from './fingerprint.ts';
import { requireLegal } from './legal.ts';
import { id, type Resource } from './resource.ts';
import type { HostFacts } from './state.ts';

/** The resources that concern this host, each once. */
export function concerning(resources: readonly Resource[], host: HostFacts): readonly Resource[] {
  requireLegal(resources);
  const found = new Map<string, Resource>();
  const all = new Set(resources.map(id));
  for (const resource of resources) {
    if (resource.when?.(host) === false) continue;
    const name = id(resource);
    const earlier = found.get(name);
    if (earlier === undefined) found.set(name, resource);
    else if (JSON.stringify(earlier) !== JSON.stringify(resource)) {
      throw new Failure('internal', `${name} is declared twice, and differently`, {
        host: host.name,
        step: name,
      });
    }
    const unknown = dependencies(resource).find((dependency) => !all.has(dependency));
    if (unknown !== undefined) {
      throw new Failure('internal', `${name} depends on ${unknown}, which nothing declares`, {
        host: host.name,
        step: name,
      });
    }
  }
  return [...found.values()];
}

/**
 * The order of declaration, except that packages come together (with the first one that is declared, but never from behind a firewall to before it)
 * and that nothing comes before what it depends on.
 */
export function inOrder(resources: readonly Resource[]): readonly Resource[] {
  const known = new Map(resources.map((resource) => [id(resource), resource]));
  const ordered: Resource[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (resource: Resource, path: readonly string[]) => {
    const name = id(resource);
    if (state.get(name) === 'done') return;
    if (state.get(name) === 'open') {
      throw new Failure('internal', `resources wait for each other: ${[...path, name].join(' → ')}`);
    }
    state.set(name, 'open');
    for (const dependency of dependencies(resource)) {
      const needed = known.get(dependency);
      if (needed !== undefined) visit(needed, [...path, name]);
    }
    state.set(name, 'done');
    ordered.push(resource);
  };
  for (const resource of packagesTogether(resources)) visit(resource, []);
  return ordered;
}

function packagesTogether(resources: readonly Resource[]): readonly Resource[] {
  const ordered: Resource[] = [];
  let place: number | undefined;
  for (const resource of resources) {
    if (resource.kind === 'firewall') place = undefined;
    if (resource.kind !== 'package' || dependencies(resource).length > 0) ordered.push(resource);
    else {
      place ??= ordered.length;
      ordered.splice(place++, 0, resource);
    }
  }
  return ordered;
}
