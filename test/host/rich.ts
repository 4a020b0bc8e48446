/** A host with resources of every kind. */
import type { FileResource, Resource } from '../../src/host/resource.ts';

export const FIREWALL = `  chain input {
    type filter hook input priority filter
    policy drop
    ct state established,related accept
    iif "lo" accept
    tcp dport { 22, 8081 } accept
  }
`;

export const NGINX = `user www-data;
pid /run/nginx.pid;
events { }
http {
  access_log off;
  server {
    listen 8081;
    location = / { return 200 "first\\n"; }
    include /etc/nginx/extra/*.conf;
  }
}
`;

/** Prints its settings at its start, and again when it is told to reload. */
const UNIT = `[Service]
ExecStart=/bin/bash -c 'trap "cat /etc/worker/reloadable; echo reloaded" HUP; echo started; \\
  while true; do sleep 0.1; done'
ExecReload=/bin/kill -HUP $MAINPID

[Install]
WantedBy=multi-user.target
`;

export const nginxConf = (content: string): FileResource => ({
  kind: 'file',
  path: '/etc/nginx/nginx.conf',
  content,
  validate: 'nginx -t -q -c %s',
});

export const worker = (settings: string, reloadable: string): readonly Resource[] => [
  { kind: 'file', path: '/etc/worker/settings', content: settings },
  { kind: 'file', path: '/etc/worker/reloadable', content: reloadable },
  { kind: 'file', path: '/etc/systemd/system/worker.service', content: UNIT },
  {
    kind: 'service',
    unit: 'worker.service',
    enabled: true,
    restartOn: ['file /etc/worker/settings', 'file /etc/systemd/system/worker.service'],
    reloadOn: ['file /etc/worker/reloadable'],
  },
];

export const RICH: readonly Resource[] = [
  { kind: 'firewall', table: 'inet pipeline', rules: FIREWALL },
  { kind: 'package', name: 'nginx' },
  { kind: 'package', name: 'redis-server' },
  { kind: 'package', name: 'figlet' },
  { kind: 'user', name: 'worker', system: true, home: '/srv/worker', groups: ['adm', 'www-data'] },
  { kind: 'user', name: 'ada' },
  { kind: 'directory', path: '/srv/worker', owner: 'worker', mode: '0750' },
  { kind: 'directory', path: '/etc/nginx/extra' },
  {
    kind: 'file',
    path: '/srv/worker/über uns.txt',
    content: "it's $HOME and `date`\n\ttab, no end",
    owner: 'worker',
  },
  {
    kind: 'file',
    path: '/srv/worker/password',
    content: "it's\nhunter2\n",
    mode: '0600',
    owner: 'worker',
    secret: true,
  },
  { kind: 'link', path: '/srv/worker/current', target: 'über uns.txt' },
  { kind: 'absent', path: '/etc/nginx/sites-enabled/default' },
  { kind: 'absent', path: '/var/www/html' },
  {
    kind: 'file',
    path: '/etc/nginx/extra/status.conf',
    content: 'location = /status { return 200 "ok\\n"; }\n',
  },
  nginxConf(NGINX),
  {
    kind: 'service',
    unit: 'nginx.service',
    enabled: true,
    reloadOn: ['file /etc/nginx/nginx.conf', 'file /etc/nginx/extra/status.conf'],
  },
  { kind: 'service', unit: 'redis-server.service', enabled: false, state: 'stopped' },
  {
    kind: 'command',
    name: 'count the words',
    unless: 'test -e /srv/worker/count',
    run: 'wc -w </srv/worker/password >/srv/worker/count',
  },
  ...worker('one', 'one'),
];
