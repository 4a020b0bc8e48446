/** From a host of an inventory to the way it is reached. */
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir, userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { outputOf } from '../process/tool.ts';
import type { SshTarget } from '../ssh/connection.ts';
import { type Inventory, type InventoryHost, type InventoryVars, PRIVATE_ADDRESS } from './model.ts';
import { parseSshArguments, type SshOptions } from './ssh-options.ts';

/**
 * Variables under all the names that Ansible takes. Where a host has several, the last one wins, as it does
 * in Ansible's ssh connection.
 */
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

/**
 * What changes how a host is reached and we do not do, with what to do instead. Values may be secrets: they
 * appear nowhere.
 */
const INSTEAD = {
  ansible_password: 'sign in with a key',
  ansible_ssh_pass: 'sign in with a key',
  ansible_ssh_password: 'sign in with a key',
  ansible_become_password: 'allow sudo without a password',
  ansible_become_pass: 'allow sudo without a password',
  ansible_sudo_pass: 'allow sudo without a password',
  ansible_become_exe: 'let sudo be on the PATH',
  ansible_become_flags: 'allow sudo without flags',
  ansible_ssh_private_key: "name the key's file in ansible_ssh_private_key_file",
  ansible_private_key: "name the key's file in ansible_ssh_private_key_file",
  ansible_private_key_passphrase: 'unlock the key in ssh-agent',
  ansible_ssh_private_key_passphrase: 'unlock the key in ssh-agent',
  ansible_ssh_pkcs11_provider: 'write -o PKCS11Provider=FILE in ansible_ssh_common_args',
  ansible_paramiko_proxy_command: 'write -o ProxyCommand=… in ansible_ssh_common_args',
  ansible_ssh_executable: 'put the ssh to use first on the PATH',
} as const;

/**
 * Arguments for ssh, in the order in which Ansible passes them: of an option that stands twice, the first
 * counts.
 */
const SSH_ARGUMENTS = ['ansible_ssh_args', 'ansible_ssh_common_args', 'ansible_ssh_extra_args'] as const;

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
  const ssh = sshOptions(vars, mistakes);
  const target: DeclaredTarget = {
    name,
    address: (textOf(vars, NAMES.address) ?? name).replace(/^\[(.+)\]$/, '$1'),
    ...(privateAddress === undefined ? {} : { privateAddress }),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(user === undefined ? {} : { user }),
    ssh: key === undefined ? ssh : { ...ssh, identityFile: key },
  };
  return { target, mistakes: mistakes.map((mistake) => `${name}: ${mistake}`) };
}

/** All arguments for ssh together; what cannot be taken over is added to the mistakes. */
function sshOptions(vars: InventoryVars, mistakes: string[]): SshOptions {
  const parts = SSH_ARGUMENTS.map((variable): SshOptions => {
    try {
      const text = textOf(vars, [variable]) ?? '';
      // A template is named as one elsewhere.
      return parseSshArguments(text.includes('{{') ? '' : text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      mistakes.push(`${variable}: ${error.message}`);
      return { options: [] };
    }
  });
  const options = parts.flatMap((part) => part.options);
  return { ...Object.assign({}, ...parts.toReversed()), options };
}

/** What the variables ask for and we do not do. */
function unusable(vars: InventoryVars): string[] {
  const fixed = FIXED.flatMap(({ name, allowed, because }) => {
    const value = textOf(vars, [name]);
    const isAllowed = value === undefined || (allowed as readonly string[]).includes(value);
    return isAllowed ? [] : [`${name}=${value} cannot be used: ${because}`];
  });
  const others = Object.entries(INSTEAD).flatMap(([name, instead]) =>
    vars[name] === undefined ? [] : [`${name} cannot be used: ${instead} instead`],
  );
  const templates = [...Object.values(NAMES).flat(), ...SSH_ARGUMENTS].flatMap((name) => {
    const value = textOf(vars, [name]);
    return value?.includes('{{') === true
      ? [`${name} is a template (${value}), which only Ansible can fill in: write the value`]
      : [];
  });
  return [...fixed, ...others, ...templates];
}

/**
 * How each of these hosts is reached. A user or a port that the inventory does not name is what ssh itself
 * would take (`ssh -G`), so that hosts of `~/.ssh/config` work as they do on the command line; so is the
 * address behind an alias.
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
    configFile: fileOf(target.ssh.configFile, inventory, context),
  }));
  for (const [i, { identityFile, configFile }] of files.entries()) {
    const needed = { 'private key': identityFile, 'ssh configuration': configFile };
    for (const [what, file] of Object.entries(needed)) {
      if (file !== undefined && file !== 'none' && !existsSync(file)) {
        mistakes.push(`${hosts[i]?.name}: the ${what} ${file} does not exist`);
      }
    }
  }
  if (mistakes.length > 0) throw targetFailure(inventory.path, mistakes);
  return Promise.all(
    declared.map(async ({ target }, i): Promise<SshTarget> => {
      const { name, address, ssh } = target;
      const settled = target.user !== undefined && target.port !== undefined && isIP(address) !== 0;
      const own = settled ? {} : await ownSettings(address, ssh.options, files[i]?.configFile, context);
      return {
        name,
        address,
        ...(target.privateAddress === undefined ? {} : { privateAddress: target.privateAddress }),
        ...(own.hostName === undefined ? {} : { hostName: own.hostName }),
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

/**
 * A file that an inventory names: `~` is the user's home; else from the current folder, as Ansible does, or
 * from the inventory's.
 */
function fileOf(path: string | undefined, inventory: Inventory, context: Context): string | undefined {
  // ssh itself reads `none` as no file.
  if (path === undefined || path === 'none') return path;
  if (path === '~' || path.startsWith('~/'))
    return resolve(context.env.HOME ?? homedir(), `.${path.slice(1)}`);
  const here = resolve(context.cwd, path);
  const there = resolve(dirname(inventory.path), path);
  return existsSync(here) || !existsSync(there) ? here : there;
}

interface OwnSettings {
  readonly user?: string;
  readonly port?: number;
  /** Where it differs from the address. */
  readonly hostName?: string;
}

/** What ssh itself takes for a host. Nothing where there is no ssh: the connection will say so. */
async function ownSettings(
  address: string,
  options: readonly string[],
  configFile: string | undefined,
  context: Context,
): Promise<OwnSettings> {
  const chosen = configFile === undefined ? [] : ['-F', configFile];
  const args = [...chosen, ...options.flatMap((option) => ['-o', option]), '-G', '--', address];
  const printed = (await outputOf('ssh', args, context, { timeoutMs: 10_000 })) ?? '';
  const said = (key: string) => new RegExp(`^${key} (.+)$`, 'm').exec(printed)?.[1];
  const [user, port, hostName] = [said('user'), said('port'), said('hostname')];
  return {
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port: Number(port) }),
    // ssh writes names in lower case.
    ...(hostName === undefined || hostName.toLowerCase() === address.toLowerCase() ? {} : { hostName }),
  };
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
