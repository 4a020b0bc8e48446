/** Secrets of the monitor, made once on its host and read from there: this machine keeps none. */
import { createHmac } from 'node:crypto';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { MONITOR_SECRETS, REDIS_NAME } from '../roles/hub.ts';
import type { Connection } from '../ssh/connection.ts';

export interface MonitorSecrets {
  /** Certificate of Redis, PEM: agents trust it and nothing else. */
  readonly certificate: string;
  /** The password of a user of Redis. */
  readonly password: (user: string) => string;
  /** Whether they were made just now. */
  readonly made: boolean;
}

const SCRIPT = `set -eu
umask 077
mkdir -p /etc/pipeline ${MONITOR_SECRETS}
chmod 755 /etc/pipeline ${MONITOR_SECRETS}
cd ${MONITOR_SECRETS}
made=no
if [ ! -s seed ]; then
  head -c 32 /dev/urandom | base64 -w0 >seed.new && mv seed.new seed
  made=yes
fi
if [ ! -s redis.crt ] || [ ! -s redis.key ]; then
  command -v openssl >/dev/null || apt-get install --yes --quiet openssl >&2
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=${REDIS_NAME} \\
    -addext subjectAltName=DNS:${REDIS_NAME} -keyout redis.key.new -out redis.crt.new 2>/dev/null
  chmod 644 redis.crt.new
  mv redis.key.new redis.key && mv redis.crt.new redis.crt
  made=yes
fi
echo $made
cat seed
echo
cat redis.crt`;

export async function monitorSecrets(monitor: Connection, context: Context): Promise<MonitorSecrets> {
  const text = await monitor.check(SCRIPT, {
    label: 'secrets of the monitor',
    signal: context.signal,
    secretOutput: true,
  });
  const [made = '', seed = '', ...certificate] = text.trim().split('\n');
  if (seed.length < 40 || !certificate.join('\n').includes('BEGIN CERTIFICATE'))
    throw new Failure('host', `The secrets in ${MONITOR_SECRETS} are damaged.`, {
      host: monitor.target.name,
      next: `Remove the folder on ${monitor.target.name}, and run the command again: it makes new ones and tells every agent.`,
    });
  return {
    certificate: `${certificate.join('\n')}\n`,
    password: (user) => createHmac('sha256', seed).update(user).digest('base64url'),
    made: made === 'yes',
  };
}
