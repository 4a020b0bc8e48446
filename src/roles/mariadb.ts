/** MariaDB: on the loopback address alone, unless an application on another host needs it. */

import type { Resource } from '../host/resource.ts';
import { mebibytes, type Role, type RoleParams } from './role.ts';

export const MARIADB_PORT = 3306;

const configuration = (pool: number, address: string) => `# Made by pipeline.
[mariadbd]
bind-address = ${address}
skip-name-resolve
character-set-server = utf8mb4
collation-server = utf8mb4_unicode_ci
innodb_buffer_pool_size = ${pool}M
max_allowed_packet = 64M
`;

/** It listens on every address then; this table lets in the hosts that need it, and nobody else. */
function clientsOnly(clients: readonly string[]): Resource {
  const only = (family: 'ip' | 'ip6') => {
    const addresses = clients.filter((one) => one.includes(':') === (family === 'ip6')).toSorted();
    return addresses.length === 0
      ? `    meta nfproto ${family === 'ip' ? 'ipv4' : 'ipv6'} tcp dport ${MARIADB_PORT} drop`
      : `    ${family} saddr != { ${addresses.join(', ')} } tcp dport ${MARIADB_PORT} drop`;
  };
  return {
    kind: 'firewall',
    table: 'inet pipeline_mariadb',
    rules: `  chain input {
    type filter hook input priority filter - 1
    policy accept
    iif "lo" accept
${only('ip')}
${only('ip6')}
  }
`,
  };
}

function resources(params: RoleParams): readonly Resource[] {
  const clients = params.databases?.clients ?? [];
  const remote = clients.length > 0;
  return [
    ...(remote ? [{ kind: 'package', name: 'nftables' } as const, clientsOnly(clients)] : []),
    { kind: 'package', name: 'mariadb-server' },
    {
      kind: 'file',
      path: '/etc/mysql/mariadb.conf.d/90-pipeline.cnf',
      content: configuration(mebibytes(params, 0.25, 64, 8192), remote ? '*' : '127.0.0.1'),
    },
    {
      kind: 'service',
      unit: 'mariadb.service',
      enabled: true,
      restartOn: ['file /etc/mysql/mariadb.conf.d/90-pipeline.cnf'],
    },
  ];
}

export const mariadb: Role = { name: 'mariadb', exposures: [], resources };
