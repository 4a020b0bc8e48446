/** An application built on the host itself, once for each commit and command: for native code. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { bundlerVariables } from '../../contract/tools.ts';
import { failed, type Scene, sayer } from '../scene.ts';
import { DEPENDENCIES } from './dependencies.ts';
import { buildOnHost } from './run.ts';

/** Where results lie, relative to `/srv/APP`. */
export const BUILDS = 'builds';

/**
 * Unpacks the archive and builds there, unless that was done.
 * @param dependencies name of their folder; undefined: none
 * @returns the folder's name; its `app` is what was built
 * @throws Failure with step `place`, and what the command printed last
 */
export async function buildTree(
  scene: Scene,
  archive: string,
  command: string,
  dependencies: string | undefined,
): Promise<string> {
  const { host, root, placed } = scene;
  const { artifact, directory } = placed.manifest;
  const key = createHash('sha256')
    .update(JSON.stringify([artifact, command, dependencies]))
    .digest('hex');
  const name = key.slice(0, 24);
  const folder = `${root}/${BUILDS}/${name}`;
  if (await host.exists(`${folder}/complete`)) {
    sayer(scene.tell, 'place').running(`built already (${name})`);
    return name;
  }
  if ((await host.sha256(archive)) !== artifact) {
    await host.remove(archive);
    throw failed('place', 'the artifact did not arrive whole');
  }
  await host.remove(folder);
  await host.makeFolder(`${folder}/app`);
  const { code, said } = await host.run('tar', '-xzf', archive, '-C', `${folder}/app`);
  if (code !== 0) throw failed('place', said.trim() || 'the artifact cannot be unpacked');
  const installed = `${root}/${DEPENDENCIES}/${dependencies}`;
  await buildOnHost(scene, {
    what: command,
    command,
    folder: `${folder}/app`,
    directory: posix.join(`${folder}/app`, directory),
    tools: dependencies === undefined ? [] : [`${installed}/bin`],
    env: dependencies === undefined ? {} : languageVariables(scene, installed),
  });
  await host.write(`${folder}/complete`, '', 0o644);
  return name;
}

function languageVariables({ placed }: Scene, installed: string): Readonly<Record<string, string>> {
  if (placed.manifest.command?.language !== 'ruby') return {};
  const bundler = bundlerVariables(installed).map((one): [string, string] => {
    const [name = '', value = ''] = one.split('=');
    return [name, value];
  });
  return { ...Object.fromEntries(bundler), RAILS_ENV: 'production', SECRET_KEY_BASE_DUMMY: '1' };
}
