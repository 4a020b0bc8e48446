/**
 * nginx in front of applications: its main configuration, one log format that every part reads, and logs that
 * rotate.
 */

import { LOGS, SITES } from '../contract/proxy-paths.ts';
import type { Resource, TheirsResource } from '../host/resource.ts';
import type { HostFacts } from '../host/state.ts';
import together from './nginx-together.sh' with { type: 'text' };
import worker from './nginx-user.sh' with { type: 'text' };
import welcome from './nginx-welcome.sh' with { type: 'text' };
import type { Role } from './role.ts';
import { look, portFor } from './theirs.ts';

/**
 * One line of JSON a request. The sites set the variables, which are empty where one does not; fields of an
 * upstream are empty for static files.
 */
export const LOG_FORMAT = `map "" $pipeline_app { default ""; }
  map "" $pipeline_release { default ""; }
  # Sites of an earlier version set $pipeline_variant instead of the colour, until their next deploy.
  map "" $pipeline_variant { default ""; }
  map $pipeline_variant $pipeline_colour { default $pipeline_variant; }
  log_format pipeline escape=json '{"msec":$msec,"app":"$pipeline_app",'
    '"colour":"$pipeline_colour","release":"$pipeline_release","method":"$request_method",'
    '"uri":"$request_uri","status":$status,"bytes":$body_bytes_sent,"time":$request_time,'
    '"upstream_time":"$upstream_response_time","upstream_header_time":"$upstream_header_time",'
    '"upstream_status":"$upstream_status","upstream_addr":"$upstream_addr","id":"$request_id"}';`;

/** Where Debian's nginx has its sites. */
const ENABLED = '/etc/nginx/sites-enabled';

/** Where nginx listens on both families, a host without IPv6 would have no nginx at all. */
const configuration = (noIpv6: boolean) => `# Made by pipeline. Sites lie in ${SITES}.
user www-data;
worker_processes auto;
worker_rlimit_nofile 16384;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log warn;
include /etc/nginx/modules-enabled/*.conf;

events {
  worker_connections 4096;
}

http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  sendfile on;
  tcp_nopush on;
  types_hash_max_size 4096;
  # Room for the longest name that DNS has: nginx refuses all sites where one does not fit.
  server_names_hash_bucket_size 512;
  # A header such as api_key reaches the service. nginx reads this for a port, so a site cannot say it.
  underscores_in_headers on;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_prefer_server_ciphers off;
  gzip on;
  # For sites that pipeline did not make; its own say more.
  access_log /var/log/nginx/access.log;

  ${LOG_FORMAT}

  # Sites that were here before. They come first, so that one of them still answers where no name fits.
  include /etc/nginx/conf.d/*.conf;
  include ${ENABLED}/*;

  # Names that no site has get no answer. A site that wants these requests says default_server.
  server {
    listen 80;${noIpv6 ? '' : '\n    listen [::]:80;'}
    server_name "";
    access_log off;
    return 444;
  }

  include ${SITES}/*.conf;
}
`;

const ROTATION = `# Made by pipeline.
${LOGS}/*.log {
  daily
  maxsize 100M
  rotate 14
  compress
  delaycompress
  missingok
  notifempty
  create 0640 www-data adm
  sharedscripts
  postrotate
    if [ -s /run/nginx.pid ]; then kill -USR1 "$(cat /run/nginx.pid)"; fi
  endscript
}
`;

const LIMITS = `# Made by pipeline: it comes back by itself.
[Service]
Restart=always
RestartSec=1s
LimitNOFILE=16384
`;

const FILE = '/etc/nginx/nginx.conf';

/** Tried without IPv6, which says nothing about their sites. */
const TOGETHER: TheirsResource = {
  kind: 'theirs',
  name: 'sites of nginx',
  look: look(together, { configuration: FILE, text: configuration(true) }),
  fate: 'stop',
  says: 'nginx does not take them together with what pipeline needs',
  next: `Mend what it names, in /etc/nginx/conf.d or ${ENABLED}. Then run the command again.`,
};

function configured(noIpv6: boolean): Resource {
  return {
    kind: 'file',
    path: FILE,
    when: (host: Pick<HostFacts, 'noIpv6'>) => (host.noIpv6 ?? false) === noIpv6,
    content: configuration(noIpv6),
    validate: 'nginx -t -q -c %s',
  };
}

const WORKERS: TheirsResource = {
  kind: 'theirs',
  name: 'user of nginx',
  look: look(worker, { configuration: FILE, user: 'www-data' }),
  fate: 'ask',
  says:
    'nginx works as this user today, and would as www-data: it must be able to read the files of your ' +
    'sites',
};

/**
 * The package's own page answers for every name, and would stand in the way of an application without a
 * domain.
 */
function noWelcome(): Resource {
  const link = `${ENABLED}/default`;
  const unless = look(welcome, { configuration: FILE, link, folder: '/var/www/html' });
  return {
    kind: 'command',
    name: "take nginx's welcome page away",
    unless,
    run: `( ${unless} ) || rm -f ${link}`,
    after: ['package nginx'],
  };
}

export const nginx: Role = {
  name: 'nginx',
  exposures: [
    { port: 80, protocol: 'tcp', from: 'anyone' },
    { port: 443, protocol: 'tcp', from: 'anyone' },
  ],
  resources: (): readonly Resource[] => [
    portFor('nginx.service', 80),
    TOGETHER,
    WORKERS,
    { kind: 'package', name: 'nginx' },
    { kind: 'package', name: 'logrotate' },
    { kind: 'directory', path: SITES },
    { kind: 'directory', path: LOGS, owner: 'www-data', group: 'adm' },
    { kind: 'file', path: '/etc/logrotate.d/pipeline-nginx', content: ROTATION },
    { kind: 'file', path: '/etc/systemd/system/nginx.service.d/pipeline.conf', content: LIMITS },
    noWelcome(),
    configured(false),
    configured(true),
    { kind: 'service', unit: 'nginx.service', enabled: true, reloadOn: [`file ${FILE}`] },
  ],
};
