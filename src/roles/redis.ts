/** Redis for this host alone: kept on disk, bounded, and it refuses writes rather than forget. */

import type { Resource, TheirsResource } from '../host/resource.ts';
import program from './redis-theirs.sh' with { type: 'text' };
import { mebibytes, type Role } from './role.ts';
import { look, sparing } from './theirs.ts';

const FILE = '/etc/redis/redis.conf';

/** Data and settings of a Redis that was there before. */
export const REDIS_THEIRS: Pick<TheirsResource, 'kind' | 'name' | 'look'> = {
  kind: 'theirs',
  name: 'Redis of before',
  look: look(program, { configuration: FILE }),
};

const configuration = (memory: number) => `# Made by pipeline.
bind 127.0.0.1 -::1
protected-mode yes
port 6379
supervised systemd
pidfile /run/redis/redis-server.pid
logfile ""
dir /var/lib/redis
appendonly yes
appendfsync everysec
maxmemory ${memory}mb
maxmemory-policy noeviction
`;

export const redis: Role = {
  name: 'redis',
  exposures: [],
  resources: (params): readonly Resource[] => [
    { kind: 'package', name: 'redis-server' },
    // With `appendonly yes`, a server that kept its data in an RDB file begins empty.
    ...sparing({ ...REDIS_THEIRS, fate: 'keep', says: 'it stays as it is, with its own settings' }, [
      {
        kind: 'file',
        path: FILE,
        content: configuration(mebibytes(params, 0.25, 64, 4096)),
        mode: '0640',
        owner: 'redis',
      },
    ]),
    { kind: 'service', unit: 'redis-server.service', enabled: true, restartOn: [`file ${FILE}`] },
  ],
};
