/**
 * The base image that all hosts share, read-only: made once from the distribution's archive, kept until its
 * recipe changes.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { type ToolResult, toolFailure } from '../../process/tool.ts';
import { quote } from '../../ssh/quote.ts';
import { INIT_SCRIPT } from './boot.ts';
import { ensureImage, ifDiskFull, type Making } from './cache.ts';
import finish from './finish.sh' with { type: 'text' };
import { aptFetchSettings } from './handed.ts';
import { imageName, isUbuntu, releaseOf } from './image.ts';
import { run } from './run.ts';
import type { LocalSettings } from './settings.ts';
import { type DistributionSources, distributionSources, type SourceFile, sourcesOf } from './sources.ts';

/**
 * What every host has: what a fresh droplet has and the program relies on; Python for those who bring
 * Ansible.
 */
const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'openssh-server',
  'iproute2',
  'ca-certificates',
  'nftables',
  'procps',
  'python3',
  'sudo',
  'curl',
  'logrotate',
  'unattended-upgrades',
  // Node's newer binaries need it, and it is small: a host without it would run apt at its first deploy.
  'libatomic1',
];

/** What mmdebstrap says it is doing, in this order. */
const BUILD_STEPS = [
  'running apt-get update',
  'downloading packages',
  'extracting archives',
  'installing essential packages',
  'installing remaining packages',
  'cleaning apt cache',
];

const STAGE = 'base image';

/** Bytes that must be free before a build starts: the image takes a third of it. */
const ROOM = 800 * 2 ** 20;

export interface ImageRecipe {
  readonly codename: string;
  /** undefined: the distribution's own archive, as mmdebstrap knows it. */
  readonly sources: DistributionSources | undefined;
  /** Certificates that this machine's administrator added, by file name. */
  readonly certificates: readonly SourceFile[];
  /** Keys that the sources name, by path; contents in base64. */
  readonly keys: readonly SourceFile[];
}

/**
 * Reads what a base image is made from on this machine. `image`: name of the system; absent: this machine's
 * own.
 * @throws Failure kind `usage` for an unknown image, and where this machine has no archive to make it from.
 */
export async function readRecipe(image: string | undefined): Promise<ImageRecipe> {
  const wanted = image === undefined ? undefined : releaseOf(image);
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const distribution = /^ID="?([^"\n]+)/m.exec(release)?.[1];
  const own = /^VERSION_CODENAME="?([^"\n]+)/m.exec(release)?.[1];
  const codename = wanted?.codename ?? own;
  const archives = own && distributionSources(await aptSources(), own);
  const related = wanted === undefined || wanted.distribution === distribution;
  if (codename === undefined || own === undefined || (related && !archives)) throw noArchive();
  const sources = related && archives ? sourcesOf(archives, own, codename) : undefined;
  // a key that is missing is apt's to complain about
  const keys = await Promise.all(
    (sources?.keys ?? []).map(async (name) => ({
      name,
      text: await readFile(name, 'base64').catch(() => ''),
    })),
  );
  return { codename, sources, keys, certificates: await filesIn('/usr/local/share/ca-certificates', '.crt') };
}

function noArchive(): Failure {
  return new Failure(
    'usage',
    "Local hosts are made from this machine's Debian or Ubuntu archive, and none is configured in /etc/apt.",
    {
      next:
        "Run pipeline on Debian 12 or Ubuntu 22.04 (or newer) with the distribution's own archive in " +
        '/etc/apt/sources.list, or use `--provider digitalocean`.',
    },
  );
}

/**
 * Folder of the image that `recipe` makes. Its name follows from the scripts too: a change of init.sh or
 * finish.sh, even of a comment, makes a new image on every machine.
 */
export function baseDirectory(settings: LocalSettings, recipe: ImageRecipe): string {
  const script = buildScript(recipe, '/workshop', '/base');
  const everything = JSON.stringify([recipe, script, INIT_SCRIPT, finish, process.arch]);
  return join(
    settings.cacheDirectory,
    'base',
    createHash('sha256').update(everything).digest('hex').slice(0, 16),
  );
}

/**
 * Builds the image unless it is there. `keep`: images that are wanted now, this one among them.
 * @throws Failure kind `usage` where the disk is full, kind `host` where mmdebstrap fails.
 */
export async function ensureBase(
  context: Context,
  settings: LocalSettings,
  recipe: ImageRecipe,
  base: string,
  keep: readonly string[],
): Promise<void> {
  const making: Making = {
    stage: STAGE,
    name: imageName(recipe.codename),
    takes: 'about half a minute, once',
    room: ROOM,
    make: async (workshop, lock) => {
      await furnish(context, recipe, workshop);
      const result = await build(context, buildScript(recipe, workshop, base), lock);
      if (result.exitCode === 0) return;
      const full = await ifDiskFull(base, making, result);
      throw full ?? cannotBuild(recipe, toolFailure(STAGE, 'mmdebstrap', result));
    },
  };
  await ensureImage(context, settings, base, making, keep);
}

/** Puts what the build needs into its workshop. */
async function furnish(context: Context, recipe: ImageRecipe, workshop: string): Promise<void> {
  await mkdir(join(workshop, 'ca-certificates'), { recursive: true, mode: 0o700 });
  await mkdir(join(workshop, 'image'), { mode: 0o755 });
  const put = (name: string, text: string, mode = 0o600) => writeFile(join(workshop, name), text, { mode });
  await put('finish', finish, 0o700);
  await put('init', INIT_SCRIPT, 0o755);
  await put('apt.conf', await aptFetchSettings(context));
  for (const { name, text } of recipe.certificates) await put(join('ca-certificates', name), text, 0o644);
  await put('keys', (recipe.sources?.keys ?? []).map((key) => `${key}\n`).join(''));
  for (const { name, text } of sourceFiles(recipe)) await put(name, text, 0o644);
}

function build(context: Context, script: string, lock: number): Promise<ToolResult> {
  const onLine = (line: string) => {
    const done = BUILD_STEPS.findIndex((step) => line.startsWith(`I: ${step}`));
    if (done < 0) return;
    const count = { done, of: BUILD_STEPS.length };
    context.progress({ stage: STAGE, state: 'running', detail: BUILD_STEPS[done], count });
  };
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', script];
  return run(context, 'unshare', args, { lock, onLine });
}

/** The program's failure, with what the image's release needs. */
function cannotBuild({ codename, sources }: ImageRecipe, failure: Failure): Failure {
  const from = sources === undefined ? "the distribution's own archive" : 'the archives in /etc/apt';
  const name = imageName(codename);
  return new Failure('host', `The base image ${name} (${codename}) cannot be made from ${from}.`, {
    step: STAGE,
    output: failure.output,
    next:
      'Its packages must be within reach of this machine, and signed by a key that is here (for Debian: ' +
      'package debian-archive-keyring). Or leave `image:` out of pipeline.yml: hosts are then of this ' +
      "machine's own release.",
    cause: failure,
  });
}

/** The recipe's sources as files for mmdebstrap, which takes a file's format from its name. */
function sourceFiles({ sources }: ImageRecipe): SourceFile[] {
  const files = [
    { name: 'sources.list', text: sources?.list ?? '' },
    { name: 'debian.sources', text: sources?.deb822 ?? '' },
  ];
  return files.filter(({ text }) => text !== '');
}

/**
 * Builds, finishes and puts the image in place. A script, since it goes on to its end where this program is
 * killed (nothing is lost, the next command finds the image), and cleans up where it is asked to stop.
 */
function buildScript(recipe: ImageRecipe, workshop: string, base: string): string {
  const sources = sourceFiles(recipe).map(({ name }) => quote(join(workshop, name)));
  // for its own archive alone: sources name theirs
  const components =
    recipe.sources === undefined && isUbuntu(recipe.codename) ? '--components=main,universe ' : '';
  const excluded = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'];
  return `set -eu
trap 'rm -rf --one-file-system ${quote(workshop)}' EXIT
trap 'exit 143' TERM INT HUP
mmdebstrap ${components}--mode=root --variant=apt --format=directory --skip=cleanup/apt/lists \\
  --include=${PACKAGES.join(',')} --aptopt=${quote(join(workshop, 'apt.conf'))} \\
  ${excluded.map((pattern) => quote(`--dpkgopt=path-exclude=${pattern}`)).join(' ')} \\
  ${quote(`--customize-hook=${join(workshop, 'finish')} ${workshop} "$1"`)} \\
  ${quote(recipe.codename)} ${quote(join(workshop, 'image/rootfs'))} ${sources.join(' ')}
# Last: mmdebstrap removes it. Each host's first apt-get would make it anew.
chroot ${quote(join(workshop, 'image/rootfs'))} apt-cache gencaches >/dev/null
mv --no-target-directory ${quote(join(workshop, 'image'))} ${quote(base)}
`;
}

async function aptSources(): Promise<SourceFile[]> {
  const main = await readFile('/etc/apt/sources.list', 'utf8').catch(() => '');
  const directory = '/etc/apt/sources.list.d';
  return [
    { name: 'sources.list', text: main },
    ...(await filesIn(directory, '.list')),
    ...(await filesIn(directory, '.sources')),
  ];
}

/** Files directly in a folder, by name; none where the folder does not exist. */
async function filesIn(directory: string, suffix: string): Promise<SourceFile[]> {
  const names = await readdir(directory).catch(() => []);
  const wanted = names.filter((name) => name.endsWith(suffix)).sort();
  return Promise.all(
    wanted.map(async (name) => ({ name, text: await readFile(join(directory, name), 'utf8') })),
  );
}
