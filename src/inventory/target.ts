/** From a host of an inventory to the way it is reached. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { SshTarget } from '../ssh/connection.ts';
import type { Inventory, InventoryHost, InventoryVars } from './model.ts';
import { parseSshArguments, type SshOptions } from './ssh-options.ts';

/** Variables under all the names that Ansible takes, the one that wins first. */
const NAMES = {
  address: ['ansible_host', 'ansible_ssh_host'],
  port: ['ansible_port', 'ansible_ssh_port'],
  user: ['ansible_user', 'ansible_ssh_user'],
  key: ['ansible_private_key_file', 'ansible_ssh_private_key_file'],
  password: ['ansible_password', 'ansible_ssh_pass', 'ansible_ssh_password'],
  becomePassword: ['ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass'],
} as const;

/** What an inventory says about reaching a host; what it leaves open, ssh's own configuration decides. */
export interface DeclaredTarget {
  readonly name: string;
  readonly address: string;
  readonly port?: number;
  readonly user?: string;
  readonly ssh: SshOptions;
}

/** A host's declaration, and the sentences about what cannot be done with it. Pure. */
export function declaredTarget(host: InventoryHost): {
  readonly target: DeclaredTarget;
  readonly mistakes: readonly string[];
} {
  const { name, vars } = host;
  const mistakes: string[] = [];
  const text = (names: readonly string[]) => firstText(vars, names);
  const port = text(NAMES.port);
  if (port !== undefined && !isPort(port))
    mistakes.push(`${name}: ansible_port must be a number from 1 to 65535, got: ${port}`);
  const connection = text(['ansible_connection']) ?? 'ssh';
  if (!['ssh', 'smart', 'paramiko', 'paramiko_ssh', 'ansible.builtin.ssh'].includes(connection)) {
    mistakes.push(`${name}: ansible_connection=${connection} cannot be used: hosts are reached over SSH`);
  }
  const method = text(['ansible_become_method']) ?? 'sudo';
  if (!['sudo', 'ansible.builtin.sudo'].includes(method)) {
    mistakes.push(`${name}: ansible_become_method=${method} cannot be used: root is reached through sudo`);
  }
  const become = text(['ansible_become_user']) ?? 'root';
  if (become !== 'root')
    mistakes.push(`${name}: ansible_become_user=${become} cannot be used: hosts are configured as root`);
  for (const [names, what] of [
    [NAMES.password, 'sign in with a key'],
    [NAMES.becomePassword, 'allow sudo without a password'],
  ] as const) {
    const found = names.find((variable) => vars[variable] !== undefined);
    if (found !== undefined) mistakes.push(`${name}: ${found} cannot be used: ${what} instead`);
  }
  let ssh: SshOptions = { options: [] };
  try {
    const args = [text(['ansible_ssh_common_args']), text(['ansible_ssh_extra_args'])].filter(
      (part) => part !== undefined,
    );
    ssh = parseSshArguments(args.join(' '));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    mistakes.push(`${name}: ansible_ssh_common_args: ${error.message}`);
  }
  for (const variable of Object.values(NAMES).flat()) {
    const value = vars[variable];
    if (typeof value === 'string' && value.includes('{{')) {
      mistakes.push(
        `${name}: ${variable} is a template (${value}), which only Ansible can fill in: write the value`,
      );
    }
  }
  const key = text(NAMES.key);
  if (key !== undefined) ssh = { ...ssh, identityFile: key };
  const user = text(NAMES.user);
  return {
    target: {
      name,
      address: text(NAMES.address) ?? name,
      ...(port === undefined ? {} : { port: Number(port) }),
      ...(user === undefined ? {} : { user }),
      ssh,
    },
    mistakes,
  };
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
        port: target.port ?? own.port ?? 22,
        user: target.user ?? own.user ?? userInfo().username,
        ...files[i],
        ...(ssh.options.length === 0 ? {} : { options: ssh.options }),
      };
    }),
  );
}

function firstText(vars: InventoryVars, names: readonly string[]): string | undefined {
  const value = names
    .map((name) => vars[name])
    .find((found) => found !== undefined && found !== null && found !== '');
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
