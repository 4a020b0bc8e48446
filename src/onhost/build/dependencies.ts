/**
 * A language's dependencies, installed by its own tools once for each lock file and version of the language,
 * and shared by the releases that want them.
 */
import type { Dependencies } from '../../contract/release.ts';
import { failed, type Scene } from '../scene.ts';
import python from './python.sh' with { type: 'text' };
import ruby from './ruby.sh' with { type: 'text' };
import { buildOnHost } from './run.ts';

interface Tool {
  readonly name: string;
  /** A program that prints its version, e.g. `3.11.2`. */
  readonly version: readonly [string, ...string[]];
  readonly install: string;
}

const TOOLS: Readonly<Record<Dependencies['language'], Tool>> = {
  python: {
    name: 'Python',
    version: ['python3', '-c', 'import platform; print(platform.python_version())'],
    install: python,
  },
  ruby: { name: 'Ruby', version: ['ruby', '-e', 'print RUBY_VERSION'], install: ruby },
};

/** Where they lie, relative to `/srv/APP`. */
export const DEPENDENCIES = 'dependencies';

/** What a release's dependencies lie in, and whether an earlier release had it. */
export interface Brought {
  readonly name: string;
  readonly reused: boolean;
}

/**
 * Makes them, unless they are there.
 * @throws Failure with step `place`, and what the tool printed last
 */
export async function bringDependencies(scene: Scene, wanted: Dependencies, lock: string): Promise<Brought> {
  const { host, root } = scene;
  const tool = TOOLS[wanted.language];
  const version = await versionOf(scene, tool, wanted);
  const name = `${wanted.language}-${version}-${lock.slice(0, 16)}`;
  const folder = `${root}/${DEPENDENCIES}/${name}`;
  if (await host.exists(`${folder}/.complete`)) return { name, reused: true };
  await host.remove(folder);
  await host.makeFolder(folder);
  for (const [path, text] of Object.entries(wanted.files)) {
    await host.write(`${folder}/.from/${path}`, text, 0o644);
  }
  await host.write(`${folder}/.from/.install`, tool.install, 0o755);
  await buildOnHost(scene, {
    what: `installing dependencies for ${tool.name} ${version}`,
    command: './.install',
    folder,
    directory: `${folder}/.from`,
    tools: [],
    env: { TARGET: folder },
  });
  await host.write(`${folder}/.complete`, '', 0o644);
  return { name, reused: false };
}

async function versionOf({ host }: Scene, tool: Tool, { least }: Dependencies): Promise<string> {
  const [program, ...args] = tool.version;
  const { code, said } = await host.run(program, ...args).catch(() => ({ code: 127, said: '' }));
  const version = said.trim();
  if (code !== 0 || !/^[\w.+-]+$/.test(version)) throw failed('place', `the host has no ${tool.name}`);
  if (least !== null && older(version, least)) {
    const next = 'Debian 12 has 3.11, Ubuntu 24.04 has 3.12, Debian 13 has 3.13';
    throw failed('place', `it needs ${tool.name} ${least}, but this host has ${version} (${next})`);
  }
  return version;
}

function older(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number);
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}
