/** Secrets of the monitor, made once on its host and read from there: this machine keeps none. */
import { createHmac } from 'node:crypto';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { MONITOR_SECRETS, REDIS_NAME } from '../roles/hub.ts';
import type { Connection } from '../ssh/connection.ts';
import { withValues } from '../ssh/script.ts';
import program from './secrets.sh' with { type: 'text' };

export interface MonitorSecrets {
  /** Certificate of Redis, PEM: agents trust it and nothing else. */
  readonly certificate: string;
  /** The password of a user of Redis. */
  readonly password: (user: string) => string;
  /** Whether they were made just now. */
  readonly made: boolean;
}

export async function monitorSecrets(monitor: Connection, context: Context): Promise<MonitorSecrets> {
  const text = await monitor.check(withValues(program, { folder: MONITOR_SECRETS, name: REDIS_NAME }), {
    label: 'secrets of the monitor',
    signal: context.signal,
    secretOutput: true,
  });
  const [made = '', seed = '', ...certificate] = text.trim().split('\n');
  if (seed.length < 40 || !certificate.join('\n').includes('BEGIN CERTIFICATE'))
    throw new Failure('host', `${monitor.target.name}: the secrets in ${MONITOR_SECRETS} are damaged.`, {
      host: monitor.target.name,
      next:
        `Remove the folder on ${monitor.target.name}, and run the command again: ` +
        'it makes new ones and tells every agent.',
    });
  return {
    certificate: `${certificate.join('\n')}\n`,
    password: (user) => createHmac('sha256', seed).update(user).digest('base64url'),
    made: made === 'yes',
  };
}
