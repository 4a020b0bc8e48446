/** Redis for this host alone: kept on disk, bounded, and it refuses writes rather than forget. */

import type { Resource } from '../host/resource.ts';
import { mebibytes, type Role } from './role.ts';

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
    {
      kind: 'file',
      path: '/etc/redis/redis.conf',
      content: configuration(mebibytes(params, 0.25, 64, 4096)),
      mode: '0640',
      owner: 'redis',
    },
    {
      kind: 'service',
      unit: 'redis-server.service',
      enabled: true,
      restartOn: ['file /etc/redis/redis.conf'],
    },
  ],
};
