/** Programs of this machine that local hosts need. */
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { toolFailure } from '../../process/tool.ts';
import { run, toolEnvironment } from './run.ts';

/** Each program with the Debian package that has it. */
const TOOLS: Readonly<Record<string, string>> = {
  'systemd-nspawn': 'systemd-container',
  mmdebstrap: 'mmdebstrap',
  nft: 'nftables',
  ip: 'iproute2',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  flock: 'util-linux',
  mount: 'mount',
  'mkfs.ext4': 'e2fsprogs',
  'apt-config': 'apt',
};

/** Debian packages whose programs are not on this machine. */
export async function missingPackages(context: Context): Promise<string[]> {
  const folders = (toolEnvironment(context).PATH ?? '').split(':');
  const missing = await Promise.all(
    Object.entries(TOOLS).map(async ([program, name]) =>
      (await isInstalled(program, folders)) ? [] : [name],
    ),
  );
  return [...new Set(missing.flat())].sort();
}

/** The command that installs `packages`, for people. */
export function installCommand(packages: readonly string[]): string {
  return `apt-get install --no-install-recommends --yes ${packages.join(' ')}`;
}

/**
 * Installs what is missing, saying so.
 * @throws Failure kind `usage` where there is no apt-get, kind `host` where it fails.
 */
export async function ensureTools(context: Context): Promise<void> {
  const packages = await missingPackages(context);
  if (packages.length === 0) return;
  const stage = 'packages of this machine';
  context.progress({ stage, state: 'started', detail: `apt-get install ${packages.join(' ')}` });
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]) =>
    run(context, 'apt-get', ['--quiet', '--option', 'DPkg::Lock::Timeout=120', ...args], { env });
  const install = () => apt('install', '--no-install-recommends', '--yes', ...packages);
  let result = await install();
  // package lists of a fresh machine are missing or old
  if (result.exitCode !== 0 && (await apt('update')).exitCode === 0) result = await install();
  if (result.exitCode !== 0) {
    context.progress({ stage, state: 'failed' });
    throw toolFailure(`installing ${packages.join(', ')}`, 'apt-get', result);
  }
  const still = await missingPackages(context);
  if (still.length > 0) {
    throw new Failure('host', `apt-get installed ${still.join(', ')}, but the programs are still missing.`, {
      next: `Look at what \`${installCommand(still)}\` says.`,
    });
  }
  context.progress({ stage, state: 'done' });
}

async function isInstalled(program: string, folders: readonly string[]): Promise<boolean> {
  for (const folder of folders) {
    const found = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
