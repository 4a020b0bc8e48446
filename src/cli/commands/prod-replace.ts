/** `pipeline prod replace HOST`: makes a lost host anew, with its applications and the newest backup. */
import { withCheckoutLock } from '../../environment/checkout-lock.ts';
import { rememberHostKeys, targetOf, withConnections } from '../../environment/fleet.ts';
import { closest, Failure } from '../../errors.ts';
import { duration } from '../../format.ts';
import { bringUp, specOf } from '../bring-up.ts';
import { argument, type Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { openProject, type Project } from '../project.ts';
import { confirm } from '../question.ts';
import { type Replaced, refill, sayLost } from '../refill.ts';
import { replaceExisting } from '../replace-existing.ts';
import { askSurvivors } from '../survivors.ts';

export const prodReplace: Handler<typeof definitions.prodReplace> = async (options, session) => {
  const { output, context } = session;
  const started = performance.now();
  const name = argument(session, 0) ?? '';
  if (options.inventory !== undefined) return replaceExisting(name, options.inventory, options, session);
  const project = await openProject(session, options.provider);
  const { config, spec, provider } = project;
  requireMachine(project, name);
  const { group } = specOf(spec.machines, name);
  const command = `pipeline prod replace ${name}`;
  const replaced: Replaced = { name, config, groups: [group], inventory: undefined, command };
  const lock = {
    directory: config.directory,
    environment: spec.environment,
    command: 'prod replace',
    wait: options.wait,
  };
  return withCheckoutLock(lock, context, async () => {
    const machines = await provider.machines();
    await rememberHostKeys(machines, spec);
    const there = machines.find((one) => one.name === name);
    const alive = machines.filter(({ state }) => state === 'running').map((one) => targetOf(one, spec));
    const known = await askSurvivors(alive, name, config, session);
    sayLost(replaced, known, session);
    if (there?.state === 'running' && !known.begun)
      output.line(`${name} (${there.address}) still runs. It is removed, with everything on it.`);
    if (!options.yes) await confirm(`Type ${name} to go on: `, name, output);
    if (there !== undefined && !known.begun) await provider.remove(name);
    const up = await bringUp(project, { command, wait: true }, context, output);
    const machine = up.machines.find((one) => one.name === name);
    if (machine === undefined) throw new Error(`${name} was made`);
    const restored = await withConnections([targetOf(machine, spec)], context, async ([connection]) => {
      if (connection === undefined) throw new Error('one connection was asked for');
      return refill(connection, replaced, known, session);
    });
    const seconds = (performance.now() - started) / 1000;
    output.line(`${name} is back at ${machine.address} (${duration(seconds * 1000)}).`);
    const { address } = machine;
    return { json: { host: name, address, inventory: up.inventory, ...restored, seconds } };
  });
};

/** @throws Failure `usage`: pipeline.yml has no such host */
function requireMachine({ spec }: Project, name: string): void {
  const names = spec.machines.map((one) => one.name);
  if (names.includes(name)) return;
  const guess = closest(name, names);
  throw new Failure('usage', `there is no host "${name}" in pipeline.yml`, {
    next: guess === undefined ? `Hosts: ${names.join(', ')}` : `Did you mean ${guess}?`,
  });
}
