/** Writes the inventory of the hosts that `prod up` made. */
import { writeFileAtomic } from '../files.ts';
import { formatValue } from './literal.ts';
import { type InventoryValue, PRIVATE_ADDRESS } from './model.ts';
import { quoteWord } from './shlex.ts';

/** One host to write; a machine of a provider has these fields. */
export interface InventoryEntry {
  readonly name: string;
  /** The entry of `hosts:` that it comes from. */
  readonly group: string;
  readonly address: string;
  /** Where other hosts reach it. */
  readonly privateAddress?: string | undefined;
  readonly port: number;
  readonly user: string;
  /** Absolute path. */
  readonly identityFile: string;
  /** Absolute path of the known_hosts file that holds the host's key. */
  readonly knownHostsFile: string;
}

/** Writes the file (atomically) where it differs. True where it did. */
export function writeInventory(
  path: string,
  { hosts }: { readonly hosts: readonly InventoryEntry[] },
): Promise<boolean> {
  return writeFileAtomic(path, formatInventory(hosts));
}

/**
 * The text: one group for each entry of `hosts:`, what is the same for all hosts once. Same hosts, same text,
 * whatever their order.
 */
export function formatInventory(hosts: readonly InventoryEntry[]): string {
  const sorted = [...hosts].sort(byName);
  const common = new Map<string, InventoryValue>();
  const own = sorted.map((host) => ({ host, vars: new Map(Object.entries(hostVars(host))) }));
  for (const key of ['ansible_user', 'ansible_ssh_private_key_file', 'ansible_ssh_common_args']) {
    const values = new Set(own.map(({ vars }) => vars.get(key)));
    const [only] = values;
    if (values.size !== 1 || only === undefined) continue;
    common.set(key, only);
    for (const { vars } of own) vars.delete(key);
  }
  // Without it Ansible looks for a Python at every first contact, and warns about the one it finds.
  common.set('ansible_python_interpreter', '/usr/bin/python3');
  const sections = [...new Set(sorted.map(({ group }) => group))].sort().map((group) => {
    const members = own.filter(({ host }) => host.group === group);
    return [`[${group}]`, ...members.map(({ host, vars }) => hostLine(host.name, vars)), ''];
  });
  return [
    '# Written by `pipeline prod up`, which replaces it. Ansible reads it too: ansible all -m ping -i ' +
      'inventory.ini',
    ...sections.flat(),
    '[all:vars]',
    ...[...common].map(([key, value]) => `${key}=${formatValue(value)}`),
    '',
  ].join('\n');
}

/** A line of a group: the host and its variables. */
export function hostLine(name: string, vars: Iterable<readonly [string, InventoryValue]>): string {
  return [name, ...[...vars].map(([key, value]) => quoteWord(`${key}=${formatValue(value)}`))].join(' ');
}

function hostVars(host: InventoryEntry): Readonly<Record<string, InventoryValue>> {
  return {
    ansible_host: host.address,
    ...(host.privateAddress === undefined || host.privateAddress === host.address
      ? {}
      : { [PRIVATE_ADDRESS]: host.privateAddress }),
    ...(host.port === 22 ? {} : { ansible_port: host.port }),
    ansible_user: host.user,
    ansible_ssh_private_key_file: host.identityFile,
    ansible_ssh_common_args: sshArguments(host.knownHostsFile),
  };
}

/** Read twice: Ansible splits the words, ssh splits the value of the option, in which "%" begins a token. */
function sshArguments(knownHostsFile: string): string {
  const file = knownHostsFile.replaceAll('%', '%%');
  const value = /[\s"'\\]/.test(file) ? `"${file.replace(/["\\]/g, '\\$&')}"` : file;
  const option = quoteWord(`UserKnownHostsFile=${value}`);
  return `-o StrictHostKeyChecking=yes -o ${option} -o GlobalKnownHostsFile=/dev/null -o IdentitiesOnly=yes`;
}

/** `web-2` before `web-10`. */
function byName(a: InventoryEntry, b: InventoryEntry): number {
  return a.name.localeCompare(b.name, 'en', { numeric: true });
}
