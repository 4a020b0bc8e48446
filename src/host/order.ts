/** In which order resources are brought about. */

import { Failure } from '../errors.ts';
import { dependencies } from './fingerprint.ts';
import { requireLegal } from './legal.ts';
import { id, type Resource } from './resource.ts';
import type { Facts } from './state.ts';

/** Where unit files and their drop-ins lie; the first group is the unit. */
export const UNIT_FILE = /^\/(?:etc|usr\/local\/lib|usr\/lib|lib)\/systemd\/system\/([^/]+?)(?:\.d\/[^/]+)?$/;

/**
 * The resources with what goes without saying: a service restarts when its own unit file or a drop-in of it
 * changes.
 * @throws Failure `internal` where a name or a path cannot be carried by a script.
 */
export function prepared(resources: readonly Resource[]): readonly Resource[] {
  requireLegal(resources);
  const unitFiles = resources.flatMap((resource): [string, string][] => {
    const unit = resource.kind === 'file' ? UNIT_FILE.exec(resource.path)?.[1] : undefined;
    return unit === undefined ? [] : [[unit, id(resource)]];
  });
  return resources.map((resource) => {
    if (resource.kind !== 'service') return resource;
    const own = unitFiles.flatMap(([unit, file]) => (unit === resource.unit ? [file] : []));
    return { ...resource, restartOn: [...new Set([...(resource.restartOn ?? []), ...own])] };
  });
}

/**
 * The resources that concern this host, each once, without those that spare what somebody else has there.
 * @throws Failure `internal` where they contradict each other.
 */
export function concerning(
  resources: readonly Resource[],
  { host, theirs }: Pick<Facts, 'host' | 'theirs'>,
): readonly Resource[] {
  const fault = (name: string, message: string) =>
    new Failure('internal', `${name} ${message}`, { host: host.name, step: name });
  const declared = new Set(resources.map(id));
  const found = new Map<string, Resource>();
  for (const resource of resources) {
    if (resource.when?.(host) === false) continue;
    if (resource.spares?.some((name) => (theirs[name] ?? []).length > 0)) continue;
    const name = id(resource);
    const earlier = found.get(name);
    if (earlier !== undefined && JSON.stringify(earlier) !== JSON.stringify(resource)) {
      throw fault(name, 'is declared twice, and differently');
    }
    const unknown = dependencies(resource).find((dependency) => !declared.has(dependency));
    if (unknown !== undefined) throw fault(name, `depends on ${unknown}, which nothing declares`);
    found.set(name, earlier ?? resource);
  }
  return [...found.values()];
}

/**
 * The order of declaration, except that packages come together (with the first one that is declared, but
 * never from behind a firewall to before it) and that nothing comes before what it depends on.
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
