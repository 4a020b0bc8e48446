/** `pipeline prod ssh HOST [-- CMD]`: a shell, or one command, on a host. The command's exit code is ours. */
import { loadConfig } from '../../config/load.ts';
import { rememberHostKeys, targetOf } from '../../environment/fleet.ts';
import { inventoryTargets } from '../../environment/inventory-targets.ts';
import { closest, Failure } from '../../errors.ts';
import { runTool } from '../../process/tool.ts';
import { connect } from '../../ssh/openssh.ts';
import { command } from '../../ssh/quote.ts';
import { argument, type Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { openProject } from '../project.ts';

export const prodSsh: Handler<typeof definitions.prodSsh> = async (options, session) => {
  const name = argument(session, 0) ?? '';
  const words = (session.arguments[1] ?? []) as readonly string[];
  const target = await findTarget(name, options, session);
  const connection = connect(target, session.context);
  const args = [
    ...connection.sshArguments(),
    ...(words.length === 0 ? [] : [words.length === 1 ? String(words[0]) : command(words)]),
  ];
  const json = session.common.json;
  const terminal = words.length === 0 && process.stdin.isTTY === true ? ['-t'] : [];
  const passed = { input: 'ours', stdout: 'ours', stderr: 'ours' } as const;
  const { exitCode, stdout, stderr } = await runTool('ssh', [...terminal, ...args], session.context, {
    ...(json ? {} : passed),
    hideOutput: true,
  });
  return { exitCode, json: { host: name, exitCode, stdout: withoutEnd(stdout), stderr: withoutEnd(stderr) } };
};

/** As a shell's `$(…)` has it, but for one line end. */
function withoutEnd(text: string): string {
  return text.replace(/\n$/, '');
}

type Options = Parameters<typeof prodSsh>[0];
type Session = Parameters<typeof prodSsh>[1];

/** From the inventory where one is named, else from the provider. */
async function findTarget(name: string, options: Options, session: Session) {
  if (options.inventory !== undefined) {
    const config = await loadConfig(session.common.config, session.context);
    const { targets, leftOut } = await inventoryTargets(options.inventory, config, session.context);
    const refused = leftOut.find((host) => host.name === name);
    if (refused !== undefined) {
      throw new Failure('usage', refused.why, { next: `Correct ${options.inventory}, then run it again.` });
    }
    return (
      targets.find((target) => target.name === name) ??
      unknown(
        name,
        targets.map((target) => target.name),
      )
    );
  }
  const { spec, provider } = await openProject(session, options.provider);
  const machines = await provider.machines();
  const machine = machines.find((candidate) => candidate.name === name);
  if (machine === undefined) {
    if (machines.length === 0)
      throw new Failure('usage', 'there are no hosts yet', { next: 'Make them: pipeline prod up' });
    return unknown(
      name,
      machines.map((candidate) => candidate.name),
    );
  }
  if (machine.state !== 'running') {
    throw new Failure('host', `${name} is ${machine.state}`, {
      host: name,
      next: 'Start it: pipeline prod up',
    });
  }
  await rememberHostKeys(machines, spec);
  return targetOf(machine, spec);
}

function unknown(name: string, known: readonly string[]): never {
  const guess = closest(name, known);
  throw new Failure('usage', `there is no host "${name}"`, {
    next: guess === undefined ? `Hosts: ${known.join(', ')}` : `Did you mean ${guess}?`,
  });
}
