/** `pipeline prod destroy`: removes what `up` created and nothing else; asks first. */
import { rm } from 'node:fs/promises';
import { withCheckoutLock } from '../checkout-lock.ts';
import type { Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { knownHostsFile } from '../fleet.ts';
import { counted, seconds } from '../output.ts';
import { inventoryPath } from '../paths.ts';
import { openProject } from '../project.ts';
import { confirm } from '../question.ts';

export const prodDestroy: Handler<typeof definitions.prodDestroy> = async (options, session) => {
  const { output, context } = session;
  const started = performance.now();
  const { config, choice, spec, provider } = await openProject(session, options.provider);
  output.line(`Provider ${choice.name}: ${choice.reason}`);
  const lock = {
    directory: config.directory,
    environment: spec.environment,
    command: 'prod destroy',
    wait: options.wait,
  };
  const destroyed = await withCheckoutLock(lock, context, async () => {
    const { removed, left } = await provider.destroyable();
    if (removed.length === 0) return { removed, left };
    output.line();
    output.line('This removes, with everything on it:');
    for (const what of removed) output.line(`  ${what}`);
    for (const what of left) output.line(`  ${output.colors.dim(`left alone: ${what}`)}`);
    output.line();
    if (!options.yes)
      await confirm(`Type the project's name (${config.project}) to remove them: `, config.project, output);
    const result = await provider.destroy();
    await rm(knownHostsFile(spec), { force: true });
    await rm(inventoryPath(config), { force: true });
    return result;
  });
  const { removed, left } = destroyed;
  for (const what of left) output.line(`left alone: ${what}`);
  output.line(
    removed.length === 0
      ? 'Nothing to remove.'
      : `Removed ${counted(removed.length, 'thing')} in ${seconds(performance.now() - started)}.`,
  );
  return { json: { provider: choice.name, removed, left } };
};
