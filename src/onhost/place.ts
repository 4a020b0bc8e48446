/** A release's files: all below a temporary name, then one rename. */
import { posix } from 'node:path';
import { INCOMING, MIGRATED, NODE_ROOT, STATE_ROOT, systemUser } from '../contract/places.ts';
import type { Placing } from '../contract/release.ts';
import { engineOf } from '../contract/tools.ts';
import { Failure } from '../errors.ts';
import { type Brought, bringDependencies, DEPENDENCIES } from './build/dependencies.ts';
import { BUILDS, buildTree } from './build/tree.ts';
import { Interrupted } from './interrupt.ts';
import { linkPersistent } from './persist.ts';
import { failed, type Scene, sayer, within } from './scene.ts';

export async function place(scene: Scene, placing: Placing): Promise<void> {
  const { host, folder, root, placed } = scene;
  const say = sayer(scene.tell, 'place');
  say.started();
  const tomcat = placing.webapp === null ? undefined : await findTomcat(scene);
  if (placing.nodeArchive !== null) await putNode(scene, placing.nodeArchive);
  let told = '';
  if (!(await host.exists(folder))) {
    const made = `${root}/releases/.new`;
    await withSpace(scene, root, async () => {
      await host.remove(made);
      await host.makeFolder(made);
      await addUser(scene);
      const dependencies = await dependenciesOf(scene, placing);
      if (dependencies !== undefined) {
        await host.link(`../../${DEPENDENCIES}/${dependencies.name}`, `${made}/dependencies`);
        told = dependencies.reused ? 'dependencies reused' : 'dependencies installed';
      }
      await bringTree(scene, placing, tomcat, made, dependencies?.name);
      await linkPersistent(scene, made);
      await writeFiles(scene, placing, tomcat, made);
      await host.write(`${made}/state`, 'unfinished\n', 0o644);
      await host.rename(made, folder);
    });
    await host.remove(`${INCOMING}/${placed.manifest.artifact}`);
  }
  say.done(told);
}

/** A failed write says how much space is left. */
async function withSpace(scene: Scene, below: string, work: () => Promise<void>): Promise<void> {
  try {
    await within('place', `cannot write below ${below}`, work);
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    // A build says itself what is wrong.
    if (error instanceof Failure && error.output.length > 0) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const free = await scene.host.free(below);
    throw failed('place', `${why} (${free} free)`);
  }
}

async function addUser({ host, placed: { manifest } }: Scene): Promise<void> {
  const user = systemUser(manifest.app);
  if ((await host.run('id', '-u', user)).code === 0) return;
  const home = `${STATE_ROOT}/${manifest.app}`;
  const args = ['--system', '--user-group', '--no-create-home', '--home-dir', home];
  const { code } = await host.run('useradd', ...args, '--shell', '/usr/sbin/nologin', user);
  if (code !== 0) throw failed('place', `cannot make the user ${user}`);
}

/** `app/`: linked from a release with the same files, or unpacked, with files laid over it. */
async function bringTree(
  scene: Scene,
  placing: Placing,
  tomcat: Tomcat | undefined,
  made: string,
  dependencies: string | undefined,
): Promise<void> {
  const { host, root, placed } = scene;
  const { artifact, command } = placed.manifest;
  const same = `${root}/releases/${placing.sameTree}/app`;
  if (placing.sameTree !== null && (await host.exists(same))) {
    await must(scene, 'cp', '-al', same, `${made}/app`);
    const build = await host.readLink(`${root}/releases/${placing.sameTree}/build`);
    if (build !== undefined) await host.link(build, `${made}/build`);
    return;
  }
  const archive = `${INCOMING}/${artifact}`;
  if (command?.build != null) {
    const name = await buildTree(scene, archive, command.build, dependencies);
    await must(scene, 'cp', '-al', `${root}/${BUILDS}/${name}/app`, `${made}/app`);
    await host.link(`../../${BUILDS}/${name}`, `${made}/build`);
    await lay(scene, placing, made);
    return;
  }
  if ((await host.sha256(archive)) !== artifact) {
    await host.remove(archive);
    throw failed('place', 'the artifact did not arrive whole');
  }
  await host.makeFolder(`${made}/app`);
  if (tomcat === undefined) await must(scene, 'tar', '-xzf', archive, '-C', `${made}/app`);
  else await unpackWar(scene, tomcat, archive, `${made}/app`);
  await lay(scene, placing, made);
}

/** What the release's language installs; undefined: nothing. */
async function dependenciesOf(scene: Scene, { dependencies }: Placing): Promise<Brought | undefined> {
  const lock = scene.placed.manifest.command?.lock ?? null;
  if (dependencies === null || lock === null) return undefined;
  return bringDependencies(scene, dependencies, lock);
}

/** Files of the definition over those of the artifact. */
async function lay(scene: Scene, placing: Placing, made: string): Promise<void> {
  const { host, placed } = scene;
  const { app } = placed.manifest;
  for (const { path, mode, text } of placing.overlay) {
    const target = `${made}/app/${path}`;
    // A folder may be in the way, or a link that leads out of the release.
    await host.remove(target);
    await host.write(target, text, Number.parseInt(mode, 8));
    await must(scene, 'chown', `root:${systemUser(app)}`, target);
  }
}

async function writeFiles(
  { host, placed: { manifest } }: Scene,
  placing: Placing,
  tomcat: Tomcat | undefined,
  made: string,
): Promise<void> {
  if (tomcat !== undefined && placing.webapp !== null) {
    const base = `${made}/tomcat`;
    for (const name of ['webapps', 'conf/Catalina/localhost', 'lib'])
      await host.makeFolder(`${base}/${name}`);
    await host.link(tomcat.home, `${base}/home`);
    await host.link('../home/etc/web.xml', `${base}/conf/web.xml`);
    await host.link('../home/etc/catalina.properties', `${base}/conf/catalina.properties`);
    await host.link('../../app', `${base}/webapps/${placing.webapp}`);
  }
  for (const { path, mode, text } of placing.files) {
    await host.write(`${made}/${path}`, text, Number.parseInt(mode, 8));
  }
  if (manifest.node !== null) await host.link(`${NODE_ROOT}/${manifest.node}`, `${made}/node`);
}

/** Its package has no folder for programs. */
const DENO = ['--transform=s,package/deno,package/bin/deno,', 'package/deno'];

/** The Node that was sent, or what stands for it. */
async function putNode(scene: Scene, hash: string): Promise<void> {
  const { host, placed } = scene;
  const version = placed.manifest.node;
  const folder = `${NODE_ROOT}/${version}`;
  const archive = `${INCOMING}/${hash}`;
  if (await host.exists(`${folder}/bin`)) return;
  if ((await host.sha256(archive)) !== hash) throw failed('place', `Node ${version} did not arrive whole`);
  await withSpace(scene, NODE_ROOT, async () => {
    await host.remove(folder);
    await host.remove(`${folder}.new`);
    await host.makeFolder(`${folder}.new`);
    const { name } = engineOf(version ?? '');
    const options = ['--strip-components=1', '--no-same-owner', '-C', `${folder}.new`];
    const files = { node: ['package/bin/node', 'package/LICENSE'], bun: ['package/bin/bun'], deno: DENO };
    await must(scene, 'tar', '-xzf', archive, ...options, ...files[name]);
    await host.rename(`${folder}.new`, folder);
  });
  await host.remove(archive);
}

interface Tomcat {
  readonly home: string;
  readonly version: number;
}

/** The newest that Debian's packages put here. */
async function findTomcat({ host }: Scene): Promise<Tomcat> {
  for (const version of [11, 10, 9]) {
    const home = `/usr/share/tomcat${version}`;
    if (await host.exists(`${home}/bin/bootstrap.jar`)) return { home, version };
  }
  throw failed('place', 'the host has no Tomcat: give it the role tomcat and run pipeline prod up');
}

/**
 * A WAR for javax is rewritten for a Tomcat that speaks jakarta, once; there is no way back.
 */
async function unpackWar(scene: Scene, tomcat: Tomcat, archive: string, target: string): Promise<void> {
  const { host, placed } = scene;
  const { artifact, tomcat: wanted } = placed.manifest;
  const jakarta = tomcat.version >= 10;
  if (wanted?.servlet === 'jakarta' && !jakarta) {
    const has = `this host has Tomcat ${tomcat.version}`;
    throw failed('place', `the WAR needs Tomcat 10 (jakarta.servlet), but ${has}`);
  }
  const war = wanted?.servlet === 'javax' && jakarta ? await migrated(scene, archive, artifact) : archive;
  const { code, said } = await host.run('unzip', '-q', '-o', war, '-d', target);
  // 1: warnings only.
  if (code > 1) throw failed('place', lastLines(said) || 'the WAR cannot be unpacked');
  if (!(await host.exists(`${target}/WEB-INF`))) throw failed('place', 'the WAR has no WEB-INF');
  await must(scene, 'chmod', '-R', 'u+rwX,go+rX,go-w', target);
}

async function migrated(scene: Scene, archive: string, hash: string): Promise<string> {
  const { host } = scene;
  const kept = `${MIGRATED}/${hash}.war`;
  if (await host.exists(kept)) return kept;
  sayer(scene.tell, 'place').running('rewriting the WAR from javax to jakarta');
  // The program goes by file names.
  const [from, to] = [`${MIGRATED}/in.war`, `${MIGRATED}/out.war`];
  await host.makeFolder(MIGRATED);
  try {
    await must(scene, 'ln', '-f', archive, from);
    await must(scene, 'javax2jakarta', '-logLevel=WARNING', from, to);
    await host.rename(to, kept);
  } finally {
    await host.remove(from);
    await host.remove(to);
  }
  return kept;
}

async function must({ host }: Scene, program: string, ...args: readonly string[]): Promise<void> {
  const { code, said } = await host.run(program, ...args);
  if (code !== 0) throw failed('place', lastLines(said) || `${posix.basename(program)} failed`);
}

function lastLines(said: string): string {
  return said.trim().split('\n').slice(-3).join(' ');
}
