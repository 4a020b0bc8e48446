/** `pipeline prod up`: creates what is missing, configures it, writes the inventory. */

import { relative } from 'node:path';
import { givenBackups, withBackups, withPassword } from '../../backup/wanted.ts';
import type { Machine, MachineSpec } from '../../cloud/provider.ts';
import type { Context } from '../../context.ts';
import { withCheckoutLock } from '../../environment/checkout-lock.ts';
import {
  allSettledOrFirst,
  desiredState,
  knownHostsFile,
  rememberHostKeys,
  targetOf,
  withConnections,
} from '../../environment/fleet.ts';
import { lockHost, withLock } from '../../environment/lock.ts';
import { inventoryPath } from '../../environment/paths.ts';
import { duration } from '../../format.ts';
import { writeInventory } from '../../inventory/write.ts';
import { convergeHost } from '../../release/index.ts';
import { changeEntries, changeSummary, costLines } from '../changes.ts';
import type { Handler, Session } from '../command.ts';
import { configureHost } from '../configure-host.ts';
import type { definitions } from '../definitions.ts';
import { changeExisting } from '../existing-hosts.ts';
import { counted, type Output } from '../output.ts';
import { openProject, type Project } from '../project.ts';

export const prodUp: Handler<typeof definitions.prodUp> = async (options, session) => {
  const { output, context } = session;
  if (options.inventory !== undefined) return changeExisting(options.inventory, options, session);
  const started = performance.now();
  const project = await openProject(session, options.provider);
  const { config, choice, spec } = project;
  output.line(`Provider ${choice.name}: ${choice.reason}`);
  const lock = {
    directory: config.directory,
    environment: spec.environment,
    command: 'prod up',
    wait: options.wait,
  };
  const { changes, machines, warnings, cost } = await withCheckoutLock(lock, context, () =>
    bringUp(project, options.wait, session.context, output),
  );

  const inventory = inventoryPath(config);
  const written = await writeInventory(inventory, {
    hosts: machines.map((machine) => ({ ...machine, knownHostsFile: knownHostsFile(spec) })),
  });
  for (const warning of warnings) output.line(`${output.colors.yellow('warning:')} ${warning}`);
  const time = duration(performance.now() - started);
  if (changes.length === 0) {
    output.line(
      `Nothing to change on ${counted(spec.machines.length, 'host')} ` +
        `(${time}).${written ? ' inventory.ini written.' : ''}`,
    );
  } else {
    output.line();
    output.line(`Ready in ${time}. ${changeSummary(changes)}${written ? ', inventory.ini written' : ''}.`);
    output.line(`Next: ${nextSteps(project, inventory, session).join(' · ')}`);
  }
  return {
    json: {
      provider: choice.name,
      changes,
      changed: changes.length,
      hosts: machines.map(({ name, address }) => ({
        name,
        address,
        roles: specOf(spec.machines, name).roles,
      })),
      inventory,
      warnings,
      cost,
    },
  };
};

/** Machines first, then what is on them. The lock on the hosts is taken only where something is to do. */
async function bringUp({ config, spec, provider }: Project, wait: boolean, context: Context, output: Output) {
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
        const at = { name: machine.name, groups: [machine.group] };
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
      return withLock(keeper.connection, { command: 'pipeline prod up', wait }, context, (locked) =>
        allSettledOrFirst(
          work.map(({ connection, wanted: host }) => {
            const agreed = made.has(connection.target.name) ? 'everything' : undefined;
            return configureHost(connection, host, { agreed }, locked, output);
          }),
        ),
      );
    },
  );
  return {
    changes: changeEntries(cloud, hosts),
    machines: wanted,
    warnings: cloud.warnings,
    cost: cloud.cost ?? null,
  };
}

function specOf(machines: readonly MachineSpec[], name: Machine['name']): MachineSpec {
  const found = machines.find((machine) => machine.name === name);
  if (found === undefined) throw new Error(`no machine ${name} in the specification`);
  return found;
}

/** What is worth typing after `up`: the first applications, as they would be typed here. */
function nextSteps({ config }: Project, inventory: string, { context, common }: Session): string[] {
  const options = [
    '-i',
    relative(context.cwd, inventory),
    ...(common.config === undefined ? [] : ['-c', common.config]),
  ];
  const deploys = Object.keys(config.apps).slice(0, 2);
  const steps = [
    ...(config.monitor === undefined ? [] : ['monitor setup']),
    ...deploys.map((app) => `deploy ${app}`),
  ].map((step) => `pipeline ${step} ${options.join(' ')}`);
  return steps.length === 0 ? ['pipeline prod status'] : steps;
}
