/**
 * From `pipeline.yml` to what should exist: the machines of an environment with their sizes and open ports.
 * Pure.
 */
import { createHash } from 'node:crypto';
import type { EnvironmentSpec, Exposure, MachineSpec } from '../cloud/provider.ts';
import { LANGUAGE_PACKAGES, type Language } from '../config/languages.ts';
import type { AppConfig, Config, HostConfig } from '../config/schema.ts';
import { machineNames } from '../config/schema-values.ts';
import { databasesOn } from '../database/index.ts';
import { exposuresOf } from '../roles/index.ts';
import { MARIADB_PORT } from '../roles/mariadb.ts';

const MIB = 1024 ** 2;
/** A small droplet's equal, and the smallest droplet in the middle of the map. */
const DEFAULTS = {
  memory: 1024 * MIB,
  cpus: 1,
  size: 's-1vcpu-1gb',
  region: 'nyc3',
} as const;

/** The production environment that the configuration describes. */
export function productionSpec(config: Config): EnvironmentSpec {
  return environmentSpec(
    config,
    'prod',
    Object.entries(config.hosts).flatMap(([group, host]) => members(config, group, host)),
  );
}

/**
 * What the configuration asks of a host that people already have, which may belong to several entries of
 * `hosts:` at once.
 */
export function existingSpec(
  config: Config,
  groups: readonly string[],
  memoryBytes: number,
): Pick<MachineSpec, 'roles' | 'exposures' | 'memoryBytes' | 'databases' | 'packages'> {
  const entries = groups.flatMap((group) => {
    const host = config.hosts[group];
    return host === undefined ? [] : [{ group, host }];
  });
  const databases = entries.map(({ group }) => databasesOn(config, group));
  return {
    roles: [...new Set(entries.flatMap(({ group, host }) => rolesOf(config, group, host)))],
    packages: packagesOf(config, groups),
    exposures: distinct(entries.flatMap(({ group, host }) => exposures(config, group, host))),
    databases: {
      clients: [...new Set(databases.flatMap(({ clients }) => clients))],
      repository: databases.find(({ repository }) => repository !== undefined)?.repository,
    },
    memoryBytes,
  };
}

/** Any environment of the project. */
function environmentSpec(
  config: Config,
  environment: string,
  machines: readonly MachineSpec[],
): EnvironmentSpec {
  return {
    project: config.project,
    environment,
    owner: config.id ?? createHash('sha256').update(config.project).digest('hex').slice(0, 12),
    directory: config.directory,
    machines,
    operators: config.operators,
    authorizedKeys: config.authorized_keys,
  };
}

function members(config: Config, group: string, host: HostConfig): MachineSpec[] {
  return machineNames(group, host.count).map((name) => ({
    name,
    group,
    roles: rolesOf(config, group, host),
    packages: packagesOf(config, [group]),
    databases: databasesOn(config, group),
    exposures: exposures(config, group, host),
    memoryBytes: host.memory ?? config.defaults.memory ?? DEFAULTS.memory,
    cpus: host.cpus ?? config.defaults.cpus ?? DEFAULTS.cpus,
    size: host.size ?? config.defaults.size ?? DEFAULTS.size,
    region: host.region ?? config.defaults.region ?? DEFAULTS.region,
    image: host.image ?? config.defaults.image,
  }));
}

/**
 * The roles that are named, and what its services and databases need, so that a first deploy finds it there.
 */
function rolesOf(config: Config, group: string, host: HostConfig): readonly string[] {
  const serves = Object.values(config.apps).some(
    ({ hosts, runtime }) => hosts.includes(group) && runtime !== 'static',
  );
  const { engines } = databasesOn(config, group);
  return [...new Set([...host.roles, ...engines, ...(serves ? ['node-service'] : [])])];
}

/** Those that its applications name, and those of the languages that they name. */
function packagesOf(config: Config, groups: readonly string[]): readonly string[] {
  const served = Object.values(config.apps).filter(({ hosts }) =>
    groups.some((group) => hosts.includes(group)),
  );
  const all = served.flatMap(({ runtime, packages }) => [
    ...(runtime !== undefined && runtime in LANGUAGE_PACKAGES ? LANGUAGE_PACKAGES[runtime as Language] : []),
    ...packages,
  ]);
  return [...new Set(all)];
}

/** SSH for operators, what the roles open, and the ports of the sites that the host serves or balances. */
function exposures(config: Config, group: string, host: HostConfig): Exposure[] {
  const apps = Object.values(config.apps);
  const served = apps.filter(({ hosts }) => hosts.includes(group));
  const balanced = apps.filter(({ site }) => site.balancer === group);
  // Where visitors come through a balancer alone, nobody else reaches the sites.
  const behind = served.filter(({ site }) => site.balancer !== undefined);
  const hidden = served.length > 0 && served.length === behind.length && balanced.length === 0;
  const open = [...served.filter((app) => !behind.includes(app)), ...balanced];
  const all: Exposure[] = [
    { port: 22, protocol: 'tcp', from: 'operators' },
    ...host.roles.flatMap((role) => (hidden && role === 'nginx' ? [] : exposuresOf(role))),
    ...(config.monitor?.host === group ? exposuresOf('monitor') : []),
    // The role lets in the hosts that need it, and no others of the fleet.
    ...(databasesOn(config, group).clients.length > 0
      ? [{ port: MARIADB_PORT, protocol: 'tcp', from: 'fleet' } as const]
      : []),
    ...behind.flatMap(behindBalancer),
    ...open.flatMap(toVisitors),
  ];
  return distinct(all);
}

/** What an application's site opens on the hosts that serve it, and on those that balance it. */
export function siteExposures(app: Pick<AppConfig, 'site'>): {
  readonly hosts: readonly Exposure[];
  readonly balancers: readonly Exposure[];
} {
  return app.site.balancer === undefined
    ? { hosts: toVisitors(app), balancers: [] }
    : { hosts: behindBalancer(app), balancers: toVisitors(app) };
}

function behindBalancer({ site }: Pick<AppConfig, 'site'>): Exposure[] {
  return [{ port: site.port, protocol: 'tcp', from: 'fleet' }];
}

function toVisitors({ site }: Pick<AppConfig, 'site'>): Exposure[] {
  const ports = site.tls === undefined ? [site.port] : [site.port, 443];
  return ports.map((port) => ({ port, protocol: 'tcp', from: 'anyone' }));
}

/** Each once, by port. */
function distinct(all: readonly Exposure[]): Exposure[] {
  const unique = new Map(
    all.map((exposure) => [`${exposure.protocol} ${exposure.port} ${exposure.from}`, exposure]),
  );
  return [...unique.values()].sort((a, b) => a.port - b.port);
}
