/** MariaDB: on the loopback address alone, unless an application on another host needs it. */

import type { Resource, TheirsResource } from '../host/resource.ts';
import theirs from './mariadb-theirs.sh' with { type: 'text' };
import mysql from './mysql-there.sh' with { type: 'text' };
import { mebibytes, type Role, type RoleParams } from './role.ts';
import { look, sparing } from './theirs.ts';

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

const FILE = '/etc/mysql/mariadb.conf.d/90-pipeline.cnf';

const THEIRS: TheirsResource = {
  kind: 'theirs',
  name: 'MariaDB of before',
  look: look(theirs, { dropin: FILE }),
  fate: 'keep',
  says: 'it stays as it is, with its own settings',
};

const MYSQL: TheirsResource = {
  kind: 'theirs',
  name: 'MySQL',
  look: mysql,
  fate: 'stop',
  says: 'it is installed, and MariaDB would push it out',
  next: 'Take another host for MariaDB, or move to MariaDB by hand first (after a backup).',
};

function resources(params: RoleParams): readonly Resource[] {
  const clients = params.databases?.clients ?? [];
  const remote = clients.length > 0;
  const content = configuration(mebibytes(params, 0.25, 64, 8192), remote ? '*' : '127.0.0.1');
  return [
    MYSQL,
    ...(remote ? [{ kind: 'package', name: 'nftables' } as const] : []),
    { kind: 'package', name: 'mariadb-server' },
    ...sparing(THEIRS, [...(remote ? [clientsOnly(clients)] : []), { kind: 'file', path: FILE, content }]),
    { kind: 'service', unit: 'mariadb.service', enabled: true, restartOn: [`file ${FILE}`] },
  ];
}

export const mariadb: Role = { name: 'mariadb', exposures: [], resources };
