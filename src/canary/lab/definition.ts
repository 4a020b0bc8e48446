/** An application as the laboratory deploys it on each side's host. Pure. */
import type { Artifact } from '../../build/artifact.ts';
import type { AppConfig, Config } from '../../config/schema.ts';
import { withPasswords } from '../../database/index.ts';
import { Failure } from '../../errors.ts';

/** The one host that each side has, as its definition calls it. */
const SIDE = 'side';
/** A version that answers anything takes part: its health is asked afterwards. */
const ANY_STATUS = Array.from({ length: 400 }, (_, index) => 200 + index);

/**
 * Whether a version is brought as a deploy brings it: with nginx, files, processes and databases. A single
 * Node service needs none of that, and is there sooner.
 */
export function needsRelease(
  definition: AppConfig,
  artifacts: readonly Pick<Artifact, 'runtime'>[],
): boolean {
  const { databases, processes, site, persist, hooks, packages, instances } = definition;
  return (
    artifacts.some(({ runtime }) => runtime !== 'node') ||
    Object.keys(databases).length > 0 ||
    Object.keys(processes).length > 0 ||
    site.static !== undefined ||
    persist.length > 0 ||
    packages.length > 0 ||
    instances > 1 ||
    hooks.before_cut_over !== undefined ||
    hooks.after_deploy !== undefined
  );
}

/** @throws Failure kind `usage` for what no laboratory can hold. */
export function checkLabApp(app: string, { fixed_port, databases }: AppConfig): void {
  const [key] = Object.keys(databases);
  if (fixed_port === undefined || key === undefined) return;
  throw new Failure(
    'usage',
    `${app} has a fixed_port, so it does not reach the database ${key}, which the laboratory puts beside it.`,
    { next: `Let the service read its port from the environment: port_variable instead of fixed_port.` },
  );
}

/**
 * The configuration that a side is deployed by: one host with its own databases, nothing in front of it,
 * nothing that goes off by the clock, and both sides with the same secrets, from the environment.
 */
export function labConfig(config: Config, app: string, definition: AppConfig): Config {
  const { site, health, databases } = definition;
  const secrets = Object.keys(withPasswords(definition)).map((name) => [name, { env: labVariable(name) }]);
  const own: AppConfig = {
    ...definition,
    hosts: [SIDE],
    site: {
      ...site,
      domains: [],
      trusted_proxies: [],
      tls: undefined,
      balancer: undefined,
    },
    health: { ...health, status: ANY_STATUS, contains: undefined, consecutive: 1 },
    databases: Object.fromEntries(
      Object.entries(databases).map(([key, one]) => [key, { ...one, host: undefined, backups: 0 }]),
    ),
    secrets: Object.fromEntries(secrets),
    jobs: {},
    probation: 0,
    watch: 0,
    drain: 0,
  };
  return { ...config, apps: { [app]: own } };
}

/** The environment in which `labConfig` finds its secrets. */
export function labEnvironmentOf(secrets: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(secrets).map(([name, value]) => [labVariable(name), value]));
}

function labVariable(name: string): string {
  return `PIPELINE_LAB_${name}`;
}

const MIB = 2 ** 20;

/** Memory of each host where nobody says how much: Java and a database server need more than a service. */
export function labMemory({ databases }: AppConfig, artifacts: readonly Pick<Artifact, 'runtime'>[]): number {
  const java = artifacts.some(({ runtime }) => runtime === 'tomcat');
  return MIB * (512 + (java ? 1024 : 0) + (Object.keys(databases).length > 0 ? 512 : 0));
}
