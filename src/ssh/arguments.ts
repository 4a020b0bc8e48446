/** The arguments of the OpenSSH client for a target: pure. */
import type { SshTarget } from './connection.ts';
import type { Patience } from './patience.ts';

/**
 * A file name as the value of an ssh option: quoted for the option parser, `%` doubled since ssh expands it.
 */
function fileValue(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
}

/**
 * Options and destination that reach the target strictly: never a question, never a key taken on trust. What
 * the target does not say, the user's own ssh configuration does (agent, jump hosts, aliases).
 */
export function sshArguments(
  target: SshTarget,
  patience: Omit<Patience, 'signInSeconds'>,
): readonly string[] {
  const options = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'UpdateHostKeys=no',
    `ConnectTimeout=${patience.connectTimeoutSeconds}`,
    `ServerAliveInterval=${Math.max(1, Math.round(patience.silenceSeconds / 3))}`,
    'ServerAliveCountMax=3',
    // Failures are told apart by what ssh prints; a quieter level in the user's configuration would hide it.
    'LogLevel=INFO',
    'ForwardAgent=no',
    'ClearAllForwardings=yes',
    'PermitLocalCommand=no',
  ];
  if (target.identityFile !== undefined) {
    options.push(`IdentityFile=${fileValue(target.identityFile)}`, 'IdentitiesOnly=yes');
  }
  if (target.knownHostsFile !== undefined) {
    options.push(`UserKnownHostsFile=${fileValue(target.knownHostsFile)}`, 'GlobalKnownHostsFile=/dev/null');
  }
  // ssh takes the first value it meets for an option, so what the inventory adds cannot loosen what stands
  // above.
  return [
    ...(target.configFile === undefined ? [] : ['-F', target.configFile]),
    ...options.flatMap((option) => ['-o', option]),
    ...(target.options ?? []).flatMap((option) => ['-o', option]),
    '-p',
    String(target.port),
    '-l',
    target.user,
    // An address is never taken for an option.
    '--',
    target.address,
  ];
}
