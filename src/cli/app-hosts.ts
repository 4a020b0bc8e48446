/**
 * What deploy, rollback and releases begin with: an application, and connections to the hosts that serve
 * it.
 */
import { loadConfig } from '../config/load.ts';
import type { AppConfig, Config } from '../config/schema.ts';
import { withConnections } from '../environment/fleet.ts';
import { type InventoryTargets, inventoryTargets } from '../environment/inventory-targets.ts';
import { chooseProvider } from '../environment/provider.ts';
import { closest, Failure } from '../errors.ts';
import type { AppOnHosts, ReleaseHost } from '../release/index.ts';
import type { Session } from './command.ts';

/** @throws Failure `usage` where there is no such application. */
export function appOf(config: Config, name: string): AppConfig {
  const app = config.apps[name];
  if (app !== undefined) return app;
  const guess = closest(name, Object.keys(config.apps));
  throw new Failure('usage', `there is no application "${name}" in ${config.path}`, {
    next:
      guess === undefined
        ? `Applications: ${Object.keys(config.apps).join(', ') || 'none yet'}`
        : `Did you mean ${guess}?`,
  });
}

/**
 * Connects to every host of the application, to those that balance it, and to the one that keeps the lock,
 * and runs `work`.
 * @throws Failure `usage` where the inventory lacks a group that the application is for.
 */
export async function withAppHosts<T>(
  session: Session,
  name: string,
  inventoryFlag: string | undefined,
  work: (app: AppOnHosts, keeper: ReleaseHost) => Promise<T>,
): Promise<T> {
  const config = await loadConfig(session.common.config, session.context);
  const app = appOf(config, name);
  const inventory = await inventoryTargets(inventoryFlag, config, session.context);
  const wanted = hostsOf(app.hosts, inventory);
  const fronting = hostsOf(app.site.balancer === undefined ? [] : [app.site.balancer], inventory);
  const groups = [...new Set(Object.values(app.databases).flatMap(({ host }) => host ?? []))];
  const keeping = new Map(groups.map((group) => [group, hostsOf([group], inventory)]));
  // Where its jobs may have run before.
  const former = Object.keys(app.jobs).length === 0 ? [] : inventory.targets;
  const used = [inventory.lockKeeper, ...wanted, ...fronting, ...[...keeping.values()].flat()];
  const targets = [...new Set([...used, ...former])];
  return withConnections(targets, session.context, (connections) => {
    const hosts = connections.map((connection) => ({ name: connection.target.name, connection }));
    // In the order of the definition: the first one runs its hooks and jobs.
    const serving = wanted.flatMap((target) =>
      hosts.filter(({ connection }) => connection.target === target),
    );
    const others = hosts.filter(
      ({ connection: { target } }) => former.includes(target) && !wanted.includes(target),
    );
    const balancers = hosts.filter(({ connection }) => fronting.includes(connection.target));
    const keeper = hosts.find(({ connection }) => connection.target === inventory.lockKeeper);
    if (keeper === undefined) throw new Error('the lock keeper is among the targets');
    const databaseHosts = new Map(
      [...keeping].map(([group, members]) => [
        group,
        hosts.filter(({ connection }) => members.includes(connection.target)),
      ]),
    );
    const droplets =
      inventoryFlag === undefined &&
      chooseProvider(undefined, session.context.env, config).name === 'digitalocean';
    const firewalls = droplets ? 'cloud' : 'host';
    return work({ config, app: name, hosts: serving, balancers, databaseHosts, others, firewalls }, keeper);
  });
}

/** The hosts of groups. @throws Failure `usage` where the inventory lacks one of them */
export function hostsOf(wanted: readonly string[], { path, groups }: InventoryTargets) {
  return [
    ...new Set(
      wanted.flatMap((group) => {
        const members = groups.get(group);
        if (members !== undefined && members.length > 0) return members;
        const known = [...groups.keys()];
        const guess = closest(group, known);
        throw new Failure('usage', `${path} has no host in the group [${group}]`, {
          next:
            guess === undefined
              ? 'Make the hosts (pipeline prod up), or add the group to the inventory.'
              : `Did you mean [${guess}]?`,
        });
      }),
    ),
  ];
}
