/** `pipeline prod destroy`: removes what `up` created and nothing else; asks first. */
import { rm } from 'node:fs/promises';
import { labEnvironment } from '../../canary/lab/hosts.ts';
import type { Destroyed } from '../../cloud/provider.ts';
import { loadConfig } from '../../config/load.ts';
import { withCheckoutLock } from '../../environment/checkout-lock.ts';
import { knownHostsFile } from '../../environment/fleet.ts';
import { inventoryPath } from '../../environment/paths.ts';
import { openProvider } from '../../environment/provider.ts';
import { Failure } from '../../errors.ts';
import type { CommandResult, Handler, Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { counted, type Output } from '../output.ts';
import { openProject, type Project } from '../project.ts';
import { confirm } from '../question.ts';

export const prodDestroy: Handler<typeof definitions.prodDestroy> = (options, session) => {
  if (options.orphans && options.canary) {
    throw new Failure('usage', '--orphans and --canary are two different things to remove.', {
      next: 'Give one of them.',
    });
  }
  return options.orphans ? removeOrphans(options, session) : removeEnvironment(options, session);
};

type Options = Parameters<typeof prodDestroy>[0];

async function removeEnvironment(options: Options, session: Session): Promise<CommandResult> {
  const { output, context } = session;
  const { config, choice, spec, provider } = options.canary
    ? await openCanary(session)
    : await openProject(session, options.provider);
  output.line(`Provider ${choice.name}: ${choice.reason}`);
  const lock = {
    directory: config.directory,
    environment: spec.environment,
    command: 'prod destroy',
    wait: options.wait,
  };
  const destroyed = await withCheckoutLock(lock, context, async () => {
    const found = await provider.destroyable();
    if (found.removed.length === 0) return found;
    await ask(found, config.project, options.yes, output);
    const result = await provider.destroy();
    await rm(knownHostsFile(spec), { force: true });
    if (!options.canary) await rm(inventoryPath(config), { force: true });
    return result;
  });
  const kept = choice.name === 'local' && !options.canary ? await keptByCanary(session) : [];
  return ending({ provider: choice.name, ...destroyed, left: [...destroyed.left, ...kept] }, output);
}

/** The hosts that a canary made, which stay where it was told to keep them, or was killed. */
async function openCanary({ common, context }: Session): Promise<Project> {
  const config = await loadConfig(common.config, context);
  const spec = labEnvironment(config);
  const choice = { name: 'local', reason: 'a canary makes its hosts on this machine' } as const;
  return { config, choice, spec, provider: await openProvider(choice, spec, context) };
}

async function keptByCanary(session: Session): Promise<string[]> {
  const { removed } = await (await openCanary(session)).provider.destroyable();
  return removed.length === 0 ? [] : ['hosts of a canary: pipeline prod destroy --canary removes them'];
}

/** Local hosts whose project's folder is gone: nobody can run `destroy` there any more. */
async function removeOrphans(options: Options, { output, context }: Session): Promise<CommandResult> {
  const { localEnvironments } = await import('../../cloud/local/environments.ts');
  const orphans = (await localEnvironments(context)).filter(({ orphan }) => orphan);
  const names = orphans.map(
    ({ project, environment, directory, hosts }) =>
      `${project} (${environment}) of ${directory}: ${hosts.join(', ') || 'no host'}`,
  );
  if (orphans.length > 0) await ask({ removed: names, left: [] }, 'orphans', options.yes, output);
  const removed: string[] = [];
  const left: string[] = [];
  for (const orphan of orphans) {
    const result = await orphan.remove();
    removed.push(...result.removed);
    left.push(...result.left);
  }
  return ending({ provider: 'local', removed, left }, output);
}

async function ask({ removed, left }: Destroyed, word: string, yes: boolean, output: Output): Promise<void> {
  output.line();
  output.line('This removes, with everything on it:');
  for (const what of removed) output.line(`  ${what}`);
  for (const what of left) output.line(`  ${output.colors.dim(`left alone: ${what}`)}`);
  output.line();
  if (!yes) await confirm(`Type ${word} to remove them: `, word, output);
}

function ending(result: Destroyed & { readonly provider: string }, output: Output): CommandResult {
  for (const what of result.left) output.line(`left alone: ${what}`);
  const { removed } = result;
  output.line(
    removed.length === 0
      ? 'Nothing to remove.'
      : `Removed ${counted(removed.length, 'thing')}.${result.left.length === 0 ? ' Nothing is left.' : ''}`,
  );
  return { json: result };
}
