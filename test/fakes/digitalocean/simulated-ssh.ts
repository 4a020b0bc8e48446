/**
 * Signs in to the fake's simulated droplets in place of the OpenSSH client: as strict, over the known_hosts
 * file that the program wrote.
 */
import { readFile } from 'node:fs/promises';
import { publicKeyOf } from '../../../src/cloud/ed25519.ts';
import type { Connection, SshTarget } from '../../../src/ssh/connection.ts';
import { connectionFailure } from '../../../src/ssh/failures.ts';
import type { SimulatedCommand, SimulatedResult } from './machines.ts';

const MESSAGES = {
  refused: 'ssh: connect to host port 22: Connection refused',
  permission: 'Permission denied (publickey).',
  'host-key-changed':
    '@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@\nHost key verification failed.',
};

/** Like `connect` of `src/ssh/openssh.ts`. */
export function simulatedConnect(url: string): (target: SshTarget) => Connection {
  return (target) => {
    const check = async (_script: string, { label }: { readonly label: string }) => {
      const [known, identity] = await Promise.all([
        readFile(target.knownHostsFile ?? '', 'utf8'),
        readFile(target.identityFile ?? '', 'utf8'),
      ]);
      const hostKeys = known.split('\n').flatMap((line) => {
        const [address, ...key] = line.split(' ');
        return address === target.address ? [key.join(' ')] : [];
      });
      const command: SimulatedCommand = {
        address: target.address,
        hostKeys,
        publicKey: publicKeyOf(identity) ?? '',
        label,
      };
      const result = await send(url, command);
      if (result === undefined)
        throw connectionFailure(target, {
          stderr: 'Connection reset by peer',
          exitCode: 255,
          connected: true,
          step: label,
        });
      if ('failed' in result)
        throw connectionFailure(target, {
          stderr: MESSAGES[result.failed],
          exitCode: 255,
          connected: false,
          step: label,
        });
      return result;
    };
    return {
      target,
      script: async (text, options) => ({ ...(await check(text, options)), stderr: '' }),
      check: async (text, options) => (await check(text, options)).stdout,
      upload: () => Promise.reject(new Error('the simulated host takes no files')),
      tunnel: () => Promise.reject(new Error('nothing is reached through it')),
      sshArguments: () => [],
      close: () => Promise.resolve(),
    };
  };
}

async function send(url: string, command: SimulatedCommand): Promise<SimulatedResult | undefined> {
  const response = await fetch(`${url}/fake/ssh`, { method: 'POST', body: JSON.stringify(command) }).catch(
    () => undefined,
  );
  return response === undefined ? undefined : ((await response.json()) as SimulatedResult);
}
