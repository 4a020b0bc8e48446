/** The definition's hooks, run in the new release as the application's user, with its environment. */
import { STATE_ROOT, systemUser, workingDirectory } from '../contract/places.ts';
import { HOOK_SECONDS } from '../contract/release.ts';
import { ownVariables, toolFolders } from '../contract/tools.ts';
import { failed, type Scene, sayer } from './scene.ts';

/** The unit in which a hook runs, so that an interrupted release can stop it. */
export function hookUnit(app: string): string {
  return `pipeline-hook-${app}.service`;
}

export async function runHook(
  scene: Scene,
  step: 'before_cut_over' | 'after_deploy',
  command: string,
): Promise<void> {
  const { host, placed, folder } = scene;
  const { app, release, directory } = placed.manifest;
  const work = workingDirectory(app, release, directory);
  const say = sayer(scene.tell, step);
  say.started(command);
  const began = host.now();
  const user = systemUser(app);
  let said = '';
  const hook = {
    unit: hookUnit(app),
    command,
    user,
    directory: work,
    environmentFile: `${folder}/env`,
    path: [...toolFolders(placed.manifest, folder), '/usr/local/bin:/usr/bin:/bin'].join(':'),
    variables: ownVariables(placed.manifest, folder),
    state: `${STATE_ROOT.split('/').at(-1)}/${app}`,
    seconds: HOOK_SECONDS,
  };
  // A killed run may have left one, which would run beside this one.
  await host.stop(hook.unit);
  const code = await host.hook(hook, (line) => {
    if (line !== undefined) {
      said = line;
      scene.tell({ event: 'log', line });
    }
    // While it says nothing, this finds out whether anybody still listens.
    say.running(said);
  });
  if (code === 0) {
    say.done(`exit code 0${said === '' ? '' : `: ${said}`}`);
    return;
  }
  const late = host.now() - began >= HOOK_SECONDS * 1000;
  const why = late
    ? `did not end within ${HOOK_SECONDS / 60} min (exit code ${code})`
    : `ended with exit code ${code}`;
  throw failed(step, `the command ${why}`);
}
