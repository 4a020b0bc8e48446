/** MariaDB for the applications of this host: it listens on the loopback address alone. */

import type { Resource } from '../host/resource.ts';
import { mebibytes, type Role } from './role.ts';

const configuration = (pool: number) => `# Made by pipeline.
[mariadbd]
bind-address = 127.0.0.1
skip-name-resolve
character-set-server = utf8mb4
collation-server = utf8mb4_unicode_ci
innodb_buffer_pool_size = ${pool}M
max_allowed_packet = 64M
`;

export const mariadb: Role = {
  name: 'mariadb',
  exposures: [],
  resources: (params): readonly Resource[] => [
    { kind: 'package', name: 'mariadb-server' },
    {
      kind: 'file',
      path: '/etc/mysql/mariadb.conf.d/90-pipeline.cnf',
      content: configuration(mebibytes(params, 0.25, 64, 8192)),
    },
    {
      kind: 'service',
      unit: 'mariadb.service',
      enabled: true,
      restartOn: ['file /etc/mysql/mariadb.conf.d/90-pipeline.cnf'],
    },
  ],
};
