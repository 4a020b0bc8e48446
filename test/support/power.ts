/** What happens to machines. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { killAndRemove } from '../../src/cloud/local/groups.ts';
import { hostGroups, readMachine } from '../../src/cloud/local/machine.ts';
import { environmentLayout, hostLayout, localSettings } from '../../src/cloud/local/settings.ts';
import type { EnvironmentSpec, Machine } from '../../src/cloud/provider.ts';
import { sshArguments } from './ssh-arguments.ts';

/**
 * Ends a host as a power cut does: nothing is written, nobody is asked. The disk stays; `apply` starts it
 * again.
 */
export async function powerCut(spec: EnvironmentSpec, name: string): Promise<void> {
  const layout = hostLayout(environmentLayout(localSettings(process.env), spec), name);
  await killAndRemove(hostGroups(readMachine(), layout), name);
}

/** Reboots a host from inside and waits until it accepts connections again, half a minute at most. */
export async function reboot(machine: Machine): Promise<void> {
  const ssh = async (command: string) =>
    (await promisify(execFile)('ssh', [...sshArguments(machine), command])).stdout;
  const bootId = () => ssh('cat /proc/sys/kernel/random/boot_id').catch(() => '');
  const before = await bootId();
  // the connection may or may not be closed before the command ends
  await ssh('systemctl reboot').catch(() => '');
  const deadline = Date.now() + 30_000;
  for (;;) {
    const now = await bootId();
    if (now !== '' && now !== before) return;
    if (Date.now() > deadline) throw new Error(`${machine.name} does not come back from its reboot`);
    await sleep(50);
  }
}
