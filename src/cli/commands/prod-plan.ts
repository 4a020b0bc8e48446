/** `pipeline prod plan`: what `up` would change. Reads, decides, prints; touches nothing. */

import { givenBackups, withBackups, withPassword } from '../../backup/wanted.ts';
import {
  allSettledOrFirst,
  desiredState,
  rememberHostKeys,
  targetOf,
  withConnections,
} from '../../environment/fleet.ts';
import { inventoryPath } from '../../environment/paths.ts';
import { freshFacts } from '../../host/fresh.ts';
import { convergeHost, planFreshHost } from '../../release/index.ts';
import { changeEntries, changeSummary, costLines, type HostChanges, planLines } from '../changes.ts';
import type { Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { planExisting } from '../existing-hosts.ts';
import { counted } from '../output.ts';
import { openProject } from '../project.ts';

export const prodPlan: Handler<typeof definitions.prodPlan> = async (options, session) => {
  const { output, context } = session;
  if (options.inventory !== undefined) return planExisting(options.inventory, options, session);
  const { config, choice, spec, provider } = await openProject(session, options.provider);
  output.line(`Provider ${choice.name}: ${choice.reason}`);
  const given = await givenBackups(config, context);
  const cloud = await provider.plan();
  const running = cloud.machines.filter(({ state }) => state === 'running');
  await rememberHostKeys(running, spec);
  const hosts = await withConnections(
    running.map((machine) => targetOf(machine, spec)),
    context,
    async (connections) => {
      const backups = given && (await withPassword(given, connections, context, { keep: false }));
      return allSettledOrFirst(
        spec.machines.map(async (machine): Promise<HostChanges> => {
          const resources = desiredState(machine, cloud.machines, spec);
          const at = { name: machine.name, groups: [machine.group], first: spec.machines[0]?.name ?? '' };
          const wanted = withBackups({ ...machine, resources }, backups, at);
          const connection = connections.find(({ target }) => target.name === machine.name);
          const host = machine.name;
          if (connection === undefined) {
            const facts = freshFacts(machine, choice.name === 'local' ? 'systemd-nspawn' : '');
            return { host, changes: await planFreshHost(facts, wanted) };
          }
          const { changes, theirs } = await convergeHost(connection, wanted, context, { dryRun: true });
          return { host, changes, theirs };
        }),
      );
    },
  );
  const changes = changeEntries(cloud, hosts);
  output.line();
  for (const line of planLines(cloud, hosts, output.colors)) output.line(line);
  output.line();
  for (const line of costLines(cloud)) output.line(line);
  output.line(
    changes.length === 0
      ? `Nothing to change on ${counted(spec.machines.length, 'host')}.`
      : `${changeSummary(changes)}. Nothing was touched. Run: pipeline prod up`,
  );
  return {
    json: {
      provider: choice.name,
      changes,
      changed: changes.length,
      hosts: spec.machines.map(({ name, roles }) => ({
        name,
        address: cloud.machines.find((machine) => machine.name === name)?.address ?? null,
        roles,
      })),
      inventory: inventoryPath(config),
      warnings: cloud.warnings,
      cost: cloud.cost ?? null,
    },
  };
};
