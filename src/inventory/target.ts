/** From a host of an inventory to the way it is reached. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { SshTarget } from '../ssh/connection.ts';
import { type Inventory, type InventoryHost, type InventoryVars, PRIVATE_ADDRESS } from './model.ts';
import { parseSshArguments, type SshOptions } from './ssh-options.ts';

/** Variables under all the names that Ansible takes. Where a host has several, the last one wins, as it does in Ansible's ssh connection. */
const NAMES = {
  address: ['ansible_host', 'ansible_ssh_host'],
  port: ['ansible_port', 'ansible_ssh_port'],
  user: ['ansible_user', 'ansible_ssh_user'],
  key: ['ansible_private_key_file', 'ansible_ssh_private_key_file'],
} as const;

/** Variables of which we know one way only. */
const FIXED = [
  {
    name: 'ansible_connection',
    allowed: ['ssh', 'smart', 'paramiko', 'paramiko_ssh', 'ansible.builtin.ssh'],
    because: 'hosts are reached over SSH',
  },
  {
    name: 'ansible_become_method',
    allowed: ['sudo', 'ansible.builtin.sudo'],
    because: 'root is reached through sudo',
  },
  { name: 'ansible_become_user', allowed: ['root'], because: 'hosts are configured as root' },
] as const;

/** Passwords under all their names, and what to do instead. Their values appear nowhere. */
const PASSWORDS = {
  ansible_password: 'sign in with a key',
  ansible_ssh_pass: 'sign in with a key',
  ansible_ssh_password: 'sign in with a key',
  ansible_become_password: 'allow sudo without a password',
  ansible_become_pass: 'allow sudo without a password',
  ansible_sudo_pass: 'allow sudo without a password',
} as const;

/** What an inventory says about reaching a host; what it leaves open, ssh's own configuration decides. */
export interface DeclaredTarget {
  readonly name: string;
  readonly address: string;
  readonly privateAddress?: string;
  readonly port?: number;
  readonly user?: string;
  readonly ssh: SshOptions;
}

/** A host's declaration, and the sentences about what cannot be done with it. Pure. */
export function declaredTarget({ name, vars }: InventoryHost): {
  readonly target: DeclaredTarget;
  readonly mistakes: readonly string[];
} {
  const mistakes = unusable(vars);
  const [port, user, key] = [NAMES.port, NAMES.user, NAMES.key].map((names) => textOf(vars, names));
  if (port !== undefined && !isPort(port)) {
    mistakes.push(`ansible_port must be a number from 1 to 65535, got: ${port}`);
  }
  const privateAddress = textOf(vars, [PRIVATE_ADDRESS]);
  let ssh: SshOptions = { options: [] };
  try {
    const args = ['ansible_ssh_common_args', 'ansible_ssh_extra_args'].map(
      (one) => textOf(vars, [one]) ?? '',
    );
    ssh = parseSshArguments(args.join(' '));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    mistakes.push(`ansible_ssh_common_args: ${error.message}`);
  }
  const target: DeclaredTarget = {
    name,
    address: textOf(vars, NAMES.address) ?? name,
    ...(privateAddress === undefined ? {} : { privateAddress }),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(user === undefined ? {} : { user }),
    ssh: key === undefined ? ssh : { ...ssh, identityFile: key },
  };
  return { target, mistakes: mistakes.map((mistake) => `${name}: ${mistake}`) };
}

/** What the variables ask for and we do not do. */
function unusable(vars: InventoryVars): string[] {
  const fixed = FIXED.flatMap(({ name, allowed, because }) => {
    const value = textOf(vars, [name]);
    const isAllowed = value === undefined || (allowed as readonly string[]).includes(value);
    return isAllowed ? [] : [`${name}=${value} cannot be used: ${because}`];
  });
  const passwords = Object.entries(PASSWORDS).flatMap(([name, instead]) =>
    vars[name] === undefined ? [] : [`${name} cannot be used: ${instead} instead`],
  );
  const templates = Object.values(NAMES)
    .flat()
    .flatMap((name) => {
      const value = textOf(vars, [name]);
      return value?.includes('{{') === true
        ? [`${name} is a template (${value}), which only Ansible can fill in: write the value`]
        : [];
    });
  return [...fixed, ...passwords, ...templates];
}

/**
 * How each of these hosts is reached. A user or a port that the inventory does not name is what ssh itself would take (`ssh -G`), so that hosts
 * of `~/.ssh/config` work as they do on the command line.
 * @throws Failure `usage` that names everything that cannot be used, of all hosts at once.
 */
export async function sshTargets(
  inventory: Inventory,
  hosts: readonly InventoryHost[],
  context: Context,
): Promise<readonly SshTarget[]> {
  const declared = hosts.map(declaredTarget);
  const mistakes = declared.flatMap((one) => one.mistakes);
  const files = declared.map(({ target }) => ({
    identityFile: fileOf(target.ssh.identityFile, inventory, context),
    knownHostsFile: fileOf(target.ssh.knownHostsFile, inventory, context),
  }));
  for (const [i, { identityFile }] of files.entries()) {
    if (identityFile !== undefined && !existsSync(identityFile)) {
      mistakes.push(`${hosts[i]?.name}: the private key ${identityFile} does not exist`);
    }
  }
  if (mistakes.length > 0) throw targetFailure(inventory.path, mistakes);
  return Promise.all(
    declared.map(async ({ target }, i): Promise<SshTarget> => {
      const { name, address, ssh } = target;
      const missing = target.user === undefined || target.port === undefined;
      const own = missing ? await ownSettings(address, context) : {};
      return {
        name,
        address,
        ...(target.privateAddress === undefined ? {} : { privateAddress: target.privateAddress }),
        port: target.port ?? own.port ?? 22,
        user: target.user ?? own.user ?? userInfo().username,
        ...files[i],
        ...(ssh.options.length === 0 ? {} : { options: ssh.options }),
      };
    }),
  );
}

function textOf(vars: InventoryVars, names: readonly string[]): string | undefined {
  const values = names.map((name) => vars[name]);
  const value = values.findLast((found) => found !== undefined && found !== null && found !== '');
  return value === undefined ? undefined : String(value);
}

function isPort(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

/** A file that an inventory names: `~` is the user's home; else from the current folder, as Ansible does, or from the inventory's. */
function fileOf(path: string | undefined, inventory: Inventory, context: Context): string | undefined {
  if (path === undefined) return undefined;
  if (path === '~' || path.startsWith('~/'))
    return resolve(context.env.HOME ?? homedir(), `.${path.slice(1)}`);
  const here = resolve(context.cwd, path);
  const there = resolve(dirname(inventory.path), path);
  return existsSync(here) || !existsSync(there) ? here : there;
}

/** User and port that ssh itself takes for a host. Nothing where there is no ssh: the connection will say so. */
async function ownSettings(address: string, context: Context): Promise<{ user?: string; port?: number }> {
  const printed = await new Promise<string>((done) => {
    execFile('ssh', ['-G', '--', address], { env: { ...context.env }, timeout: 5_000 }, (_error, stdout) =>
      done(stdout),
    );
  });
  const user = /^user (.+)$/m.exec(printed)?.[1];
  const port = /^port (\d+)$/m.exec(printed)?.[1];
  return { ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port: Number(port) }) };
}

function targetFailure(path: string, mistakes: readonly string[]): Failure {
  const [first = ''] = mistakes;
  const next = `Correct ${path} and run the command again.`;
  if (mistakes.length === 1) return new Failure('usage', first, { next });
  return new Failure('usage', `${mistakes.length} things in ${path} cannot be used`, {
    output: mistakes,
    next,
  });
}
