/** What is taken before anything is made: the right to change an environment, and its subnet. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { writeFileAtomic } from '../../files.ts';
import type { EnvironmentSpec } from '../provider.ts';
import { type Lock, waitForLock } from './lock.ts';
import { subnetFor } from './network.ts';
import { readEnvironmentRecord } from './records.ts';
import type { EnvironmentLayout, LocalSettings } from './settings.ts';

/**
 * Programs that a killed command had started hold its lock until they, too, have ended: that takes a moment.
 */
const PATIENCE_MS = 5000;

/**
 * The right to change an environment.
 * @throws Failure kind `locked` where another command is at work on it.
 */
export async function lockEnvironment(context: Context, environment: EnvironmentLayout): Promise<Lock> {
  const lock = await waitForLock(context, environment.lockFile, {
    forMs: PATIENCE_MS,
    onWait: () => context.progress({ stage: 'lock', state: 'running', detail: 'another command is ending' }),
  });
  if (lock === undefined) {
    const holder = await readFile(environment.lockFile, 'utf8').catch(() => '');
    const who = holder === '' ? 'Another command' : `Another command (${holder})`;
    throw new Failure('locked', `${who} is changing the hosts of this environment on this machine.`, {
      next: 'Wait until it has ended, or stop it, and run the command again.',
    });
  }
  await writeFile(environment.lockFile, `process ${process.pid} since ${context.now().toISOString()}`);
  return lock;
}

/**
 * The environment's subnet, written down before it is used. All environments of the machine take turns here,
 * so that two at once get different ones.
 * @throws Failure kind `usage` where no network is free.
 */
export async function claimSubnet(
  context: Context,
  settings: LocalSettings,
  layout: EnvironmentLayout,
  spec: EnvironmentSpec,
): Promise<void> {
  await using _lock = await waitForLock(context, settings.stateDirectory);
  if ((await readEnvironmentRecord(layout)) !== undefined) return;
  const { project, environment, owner, directory } = spec;
  const record = {
    project,
    environment,
    owner,
    directory,
    subnet: await subnetFor(settings, layout, undefined),
  };
  await writeFileAtomic(layout.recordFile, `${JSON.stringify(record, null, 2)}\n`);
}
