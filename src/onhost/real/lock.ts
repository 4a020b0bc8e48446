/** The lock that every version of pipeline takes, so that one program at a time changes an application. */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { failed } from '../scene.ts';

const LOCKS = '/run/pipeline';

function fileOf(app: string): string {
  return `${LOCKS}/release-${app}.lock`;
}

/** Whether somebody holds it now. */
export async function isLocked(app: string): Promise<boolean> {
  const child = spawn('flock', ['-n', '-E', '75', fileOf(app), 'true'], { stdio: 'ignore' });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code === 75));
  });
}

/**
 * Runs `work` under the lock, after waiting for it: a program whose client was killed may still be clearing
 * up. A child holds the lock until its input ends, so it goes with this process, however that dies.
 * @throws Failure with step `lock`.
 */
export async function withLock<T>(app: string, work: () => Promise<T>, seconds = 60): Promise<T> {
  await mkdir(LOCKS, { recursive: true });
  const hold = ['sh', '-c', 'echo held; exec cat >/dev/null'];
  const holder = spawn('flock', ['-w', String(seconds), fileOf(app), ...hold], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => {
    holder.on('close', () => resolve());
    holder.on('error', () => resolve());
  });
  const held = await new Promise<boolean>((resolve) => {
    holder.stdout.once('data', () => resolve(true));
    void ended.then(() => resolve(false));
  });
  if (!held) throw failed('lock', `another run is still changing ${app} on this host`);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
