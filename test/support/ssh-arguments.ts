import { writeFileSync } from 'node:fs';
import type { Machine } from '../../src/cloud/provider.ts';
import { formatKnownHosts } from '../../src/ssh/known-hosts.ts';

/** Arguments for `ssh` that reach a machine with strict host keys and nothing else; a command may follow. */
export function sshArguments(machine: Machine): string[] {
  const knownHosts = `${machine.identityFile}.${machine.name}.known_hosts`;
  const { address, port, hostKeys } = machine;
  writeFileSync(knownHosts, formatKnownHosts([{ address, port, keys: hostKeys }]));
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${knownHosts}`,
    'ConnectTimeout=5',
    'LogLevel=ERROR',
  ];
  return [
    '-F',
    'none',
    ...options.flatMap((option) => ['-o', option]),
    '-i',
    machine.identityFile,
    '-p',
    String(port),
    `${machine.user}@${address}`,
  ];
}
