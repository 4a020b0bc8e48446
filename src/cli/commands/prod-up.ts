/** `pipeline prod up`: creates what is missing, configures it, writes the inventory. */

import { relative } from 'node:path';
import { withCheckoutLock } from '../../environment/checkout-lock.ts';
import { duration } from '../../format.ts';
import { bringUp, specOf } from '../bring-up.ts';
import { changeSummary } from '../changes.ts';
import type { Handler, Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { changeExisting } from '../existing-hosts.ts';
import { counted } from '../output.ts';
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
  const { changes, machines, warnings, cost, inventory, written } = await withCheckoutLock(
    lock,
    context,
    () => bringUp(project, { command: 'pipeline prod up', wait: options.wait }, session.context, output),
  );

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
