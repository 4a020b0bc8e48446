/** The end state that all three contenders bring about, as data: about ten things a host on three hosts. */

import type { Resource } from '../../src/host/resource.ts';

export const HOSTS = ['web', 'cache', 'app'] as const;
export type HostName = (typeof HOSTS)[number];

/** nftables syntax; who loads it is up to the contender. */
function firewallRules(host: HostName): string {
  const open = host === 'web' ? '22, 80' : '22';
  return `  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif "lo" accept
    icmp type echo-request accept
    tcp dport { ${open} } accept
  }
`;
}

const HEARTBEAT = `[Unit]
Description=Heartbeat

[Service]
User=deploy
ExecStart=/bin/sh -c 'while true; do echo alive; sleep 60; done'
Restart=always

[Install]
WantedBy=multi-user.target
`;

const NGINX = `user www-data;
worker_processes auto;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types;
  sendfile on;
  server_tokens off;
  access_log /var/log/nginx/access.log;
  include /etc/nginx/sites-enabled/*;
}
`;

const SITE = `server {
  listen 80 default_server;
  root /srv/site;
  location /api/ { return 204; }
}
`;

const REDIS = `bind 127.0.0.1
port 6379
supervised systemd
dir /var/lib/redis
appendonly yes
maxmemory 64mb
maxmemory-policy noeviction
`;

const MARIADB = '[mariadbd]\nbind-address = 127.0.0.1\ninnodb_buffer_pool_size = 64M\n';
const TOMCAT = 'JAVA_OPTS="-Djava.awt.headless=true -Xmx192m"\n';
const JOURNALD = '[Journal]\nSystemMaxUse=100M\n';

export interface File {
  readonly path: string;
  readonly content: string;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
}

export interface Service {
  readonly unit: string;
  /** Files whose change needs a restart. */
  readonly restartOn: readonly string[];
}

/** What one host should be, in the words that every contender knows. */
export interface HostState {
  readonly packages: readonly string[];
  readonly user: { readonly name: string; readonly home: string };
  readonly directories: readonly Omit<File, 'content'>[];
  readonly absent: readonly string[];
  readonly files: readonly File[];
  readonly services: readonly Service[];
  readonly firewall: string;
}

const file = (path: string, content: string, mode = '0644', owner = 'root', group = owner): File => ({
  path,
  content,
  mode,
  owner,
  group,
});

export function stateOf(host: HostName): HostState {
  const unit = '/etc/systemd/system/heartbeat.service';
  const journald = '/etc/systemd/journald.conf.d/limits.conf';
  const own = {
    web: {
      packages: ['nginx'],
      absent: ['/etc/nginx/sites-enabled/default'],
      files: [
        file('/etc/nginx/nginx.conf', NGINX),
        file('/etc/nginx/sites-enabled/site', SITE),
        file('/srv/site/index.html', '<h1>It serves</h1>\n', '0644', 'deploy'),
      ],
      services: [
        { unit: 'nginx.service', restartOn: ['/etc/nginx/nginx.conf', '/etc/nginx/sites-enabled/site'] },
      ],
    },
    cache: {
      packages: ['redis-server'],
      absent: [],
      files: [file('/etc/redis/redis.conf', REDIS, '0640', 'redis')],
      services: [{ unit: 'redis-server.service', restartOn: ['/etc/redis/redis.conf'] }],
    },
    app: {
      packages: ['mariadb-server', 'tomcat10'],
      absent: [],
      files: [file('/etc/mysql/mariadb.conf.d/90-site.cnf', MARIADB), file('/etc/default/tomcat10', TOMCAT)],
      services: [
        { unit: 'mariadb.service', restartOn: ['/etc/mysql/mariadb.conf.d/90-site.cnf'] },
        { unit: 'tomcat10.service', restartOn: ['/etc/default/tomcat10'] },
      ],
    },
  }[host];
  return {
    packages: ['logrotate', ...own.packages],
    user: { name: 'deploy', home: '/srv/site' },
    directories: [{ path: '/srv/site', mode: '0755', owner: 'deploy', group: 'deploy' }],
    absent: own.absent,
    files: [file(journald, JOURNALD), file(unit, HEARTBEAT), ...own.files],
    services: [
      { unit: 'systemd-journald.service', restartOn: [journald] },
      { unit: 'heartbeat.service', restartOn: [unit] },
      ...own.services,
    ],
    firewall: firewallRules(host),
  };
}

/** The same for this program. */
export function resourcesOf(host: HostName): readonly Resource[] {
  const state = stateOf(host);
  return [
    { kind: 'firewall', table: 'inet site', rules: state.firewall },
    ...state.packages.map((name): Resource => ({ kind: 'package', name })),
    { kind: 'user', name: state.user.name, system: true, home: state.user.home, shell: '/usr/sbin/nologin' },
    ...state.directories.map((directory): Resource => ({ kind: 'directory', ...directory })),
    ...state.absent.map((path): Resource => ({ kind: 'absent', path })),
    ...state.files.map((one): Resource => ({ kind: 'file', ...one })),
    ...state.services.map(
      ({ unit, restartOn }): Resource => ({
        kind: 'service',
        unit,
        enabled: true,
        restartOn: restartOn.map((path) => `file ${path}`),
      }),
    ),
  ];
}

/** Bash that prints the end state, the same for every contender that reached it. */
export function lookScript(host: HostName): string {
  const { packages, user, directories, absent, files, services } = stateOf(host);
  const paths = [...directories, ...files].map(({ path }) => path).join(' ');
  return `dpkg-query -W -f '\${Package} \${db:Status-Abbrev}\\n' ${packages.join(' ')}
getent passwd ${user.name} | cut -d: -f1,6,7
stat -c '%n %a %U %G' ${paths}
sha256sum ${files.map(({ path }) => path).join(' ')}
ls -d ${absent.join(' ') || '/nonexistent'} 2>/dev/null
systemctl is-enabled ${services.map(({ unit }) => unit).join(' ')}
systemctl is-active ${services.map(({ unit }) => unit).join(' ')}
systemctl is-enabled nftables.service pipeline-firewall.service 2>/dev/null | sort | tail -1
nft list table inet site`;
}
