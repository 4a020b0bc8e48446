/** Cases as data: what a host is, what it should be, what is planned. Left out is what an empty host has. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fingerprint, sha256 } from '../../src/host/fingerprint.ts';
import { id, type Resource } from '../../src/host/resource.ts';
import type { Facts, HostFacts, PathFact } from '../../src/host/state.ts';

export const HOST: HostFacts = {
  name: 'web',
  os: 'debian',
  version: '12',
  codename: 'bookworm',
  architecture: 'amd64',
  memoryBytes: 2 ** 30,
  cpus: 1,
  disk: { freeBytes: 6e9, totalBytes: 8e9 },
  cgroup: 2,
  systemd: true,
  container: '',
  clock: 'timesyncd',
};

export const NOTHING: Facts = {
  host: HOST,
  packages: {},
  interrupted: false,
  paths: {},
  users: {},
  services: {},
  firewalls: {},
  commands: {},
  theirs: {},
  stamps: {},
};

/** One change as a case expects it; what is left out is not looked at. */
export interface ExpectedChange {
  readonly id: string;
  readonly action: string;
  readonly diff?: readonly string[];
  readonly reason?: string;
  readonly because?: readonly string[];
  readonly doing?: string;
}

export interface Case {
  readonly title: string;
  readonly facts?: Partial<Facts>;
  readonly resources: readonly Resource[];
  readonly changes: readonly ExpectedChange[];
  /** Lines that the script holds, in this order. */
  readonly script?: readonly string[];
  /** The plan is refused with this message. */
  readonly refused?: string;
}

const FOLDER = join(import.meta.dirname, 'cases');

/** Every file of cases with its name. */
export function caseFiles(): readonly (readonly [string, readonly Case[]])[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => [basename(file, '.json'), JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))]);
}

/** Facts of a case: hashes come from contents, and `current` in a stamp is the resource as it should be. */
export function factsOf({ facts = {}, resources }: Pick<Case, 'facts' | 'resources'>): Facts {
  const paths = Object.entries(facts.paths ?? {}).map(([path, fact]): [string, PathFact] => [
    path,
    {
      ...{ mode: '0644', owner: 'root', group: 'root' },
      ...fact,
      ...(fact.content === undefined ? {} : { sha256: sha256(fact.content) }),
    },
  ]);
  const current = new Map(resources.map((resource) => [id(resource), fingerprint(resource)]));
  const stamps = Object.entries(facts.stamps ?? {}).map(([name, entries]) => [
    name,
    Object.fromEntries(
      Object.entries(entries).map(([key, value]) => [key, value === 'current' ? current.get(key) : value]),
    ),
  ]);
  return {
    ...NOTHING,
    ...facts,
    host: { ...HOST, ...facts.host },
    paths: Object.fromEntries(paths),
    stamps: Object.fromEntries(stamps),
  };
}
