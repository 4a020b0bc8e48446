/**
 * Brings every machine of an environment to what it should be: made, converged, written into the inventory.
 */
import { givenBackups, withBackups, withPassword } from '../backup/wanted.ts';
import type { Machine, MachineSpec } from '../cloud/provider.ts';
import type { Context } from '../context.ts';
import {
  allSettledOrFirst,
  desiredState,
  knownHostsFile,
  rememberHostKeys,
  targetOf,
  withConnections,
} from '../environment/fleet.ts';
import { type LockOptions, lockHost, withLock } from '../environment/lock.ts';
import { inventoryPath } from '../environment/paths.ts';
import { writeInventory } from '../inventory/write.ts';
import { convergeHost } from '../release/index.ts';
import { changeEntries, costLines } from './changes.ts';
import { configureHost } from './configure-host.ts';
import type { Output } from './output.ts';
import type { Project } from './project.ts';

/**
 * The lock on the hosts is taken only where something is to do. The caller holds this checkout's.
 * @throws Failure as the provider and the hosts say
 */
export async function bringUp(
  { config, spec, provider }: Project,
  lock: LockOptions,
  context: Context,
  output: Output,
) {
  const given = await givenBackups(config, context);
  const cloud = await provider.plan();
  for (const line of costLines(cloud)) output.line(line);
  const machines = cloud.changes.length === 0 ? cloud.machines : await provider.apply(cloud);
  await rememberHostKeys(machines, spec);
  const wanted = machines.filter(({ name }) => spec.machines.some((machine) => machine.name === name));
  const hosts = await withConnections(
    wanted.map((machine) => targetOf(machine, spec)),
    context,
    async (connections) => {
      const backups = given && (await withPassword(given, connections, context, { keep: true }));
      const work = connections.map((connection) => {
        const machine = specOf(spec.machines, connection.target.name);
        const resources = desiredState(machine, wanted, spec);
        const at = { name: machine.name, groups: [machine.group], first: spec.machines[0]?.name ?? '' };
        return { connection, wanted: withBackups({ ...machine, resources }, backups, at) };
      });
      const look = () =>
        allSettledOrFirst(
          work.map((one) => convergeHost(one.connection, one.wanted, context, { dryRun: true })),
        );
      const fresh = cloud.changes.length > 0;
      if (!fresh && (await look()).every(({ changes }) => changes.length === 0)) return [];
      const made = new Set(
        cloud.changes
          .filter(({ action }) => action === 'create' || action === 'replace')
          .map(({ host }) => host),
      );
      const keeper = lockHost(
        connections.map((connection) => ({ name: connection.target.name, connection })),
      );
      if (keeper === undefined) return [];
      return withLock(keeper.connection, lock, context, (locked) =>
        allSettledOrFirst(
          work.map(({ connection, wanted: host }) => {
            const agreed = made.has(connection.target.name) ? 'everything' : undefined;
            return configureHost(connection, host, { agreed }, locked, output);
          }),
        ),
      );
    },
  );
  const inventory = inventoryPath(config);
  const written = await writeInventory(inventory, {
    hosts: wanted.map((machine) => ({ ...machine, knownHostsFile: knownHostsFile(spec) })),
  });
  return {
    inventory,
    written,
    changes: changeEntries(cloud, hosts),
    machines: wanted,
    warnings: cloud.warnings,
    cost: cloud.cost ?? null,
  };
}

/** What a machine should be. */
export function specOf(machines: readonly MachineSpec[], name: Machine['name']): MachineSpec {
  const found = machines.find((machine) => machine.name === name);
  if (found === undefined) throw new Error(`no machine ${name} in the specification`);
  return found;
}
