/** Redis and the hub on the monitor host. The program and its Node are brought by `monitor setup`. */

import { createHash } from 'node:crypto';
import { answerKey, questionsKey } from '../contract/logs.ts';
import type { Resource } from '../host/resource.ts';
import { HARDENED, TRUSTED } from './agent.ts';
import { REDIS_THEIRS } from './redis.ts';

/** Secrets that `monitor setup` makes once: a seed, and the certificate of Redis. */
export const MONITOR_SECRETS = '/etc/pipeline/monitor';
export const REDIS_SOCKET = '/run/pipeline-redis/redis.sock';
/** Name in the certificate of Redis. */
export const REDIS_NAME = 'pipeline-monitor';
export const REDIS_PORT = 6379;
/** What people do on the dashboard; what they do by commands is in the host's own audit log. */
export const HUB_AUDIT_LOG = '/var/log/pipeline-hub/audit.jsonl';
const USER = 'pipeline-hub';
const CONFIG = '/etc/pipeline/hub.json';

export interface HubParams {
  readonly node: string;
  readonly program: string;
  /** JSON of /etc/pipeline/hub.json; holds passwords. */
  readonly config: string;
  readonly hubPassword: string;
  /** Hosts with an agent, and the agent's password. */
  readonly agents: readonly { readonly host: string; readonly password: string }[];
  /** Addresses that may reach Redis. */
  readonly fleet: readonly string[];
  /** Bytes that Redis may hold. */
  readonly maxMemory: number;
  /** Where the status page is written; undefined: nowhere. */
  readonly statusFolder?: string | undefined;
  /** PEM texts for https. */
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
}

export const TLS_CERTIFICATE = '/etc/pipeline/hub-tls.crt';
export const TLS_KEY = '/etc/pipeline/hub-tls.key';

/** Larger words than an honest sample has are refused before they are in memory. */
const redisConf = (maxMemory: number) => `# Made by pipeline.
bind * -::*
protected-mode no
port 0
tls-port ${REDIS_PORT}
tls-cert-file ${MONITOR_SECRETS}/redis.crt
tls-key-file ${MONITOR_SECRETS}/redis.key
tls-auth-clients no
tls-protocols "TLSv1.2 TLSv1.3"
unixsocket ${REDIS_SOCKET}
unixsocketperm 770
aclfile /etc/pipeline/redis.acl
dir /var/lib/pipeline-redis
save ""
appendonly yes
appendfsync everysec
maxmemory ${maxMemory}
maxmemory-policy noeviction
proto-max-bulk-len 1mb
client-query-buffer-limit 8mb
maxclients 4000
tcp-keepalive 30
logfile ""
`;

const hash = (password: string) => `#${createHash('sha256').update(password).digest('hex')}`;

/**
 * An agent can append to its own inbox, take questions that are for it and answer them, and do nothing else:
 * read nothing else, see nobody.
 */
export function aclFile({ hubPassword, agents }: Pick<HubParams, 'hubPassword' | 'agents'>): string {
  return [
    // Nobody can be this user. It may do everything because Redis reads its append-only file as this user:
    // transactions would be lost at a restart.
    'user default off ~* &* +@all',
    `user hub on ${hash(hubPassword)} ~* resetchannels -@all +@read +@write +@connection ` +
      '+@transaction +@blocking -@dangerous +info',
    ...agents
      .toSorted((a, b) => (a.host < b.host ? -1 : 1))
      .map(
        ({ host, password }) =>
          `user agent-${host} on ${hash(password)} resetkeys resetchannels -@all +xadd +ping +hello ` +
          `+client|setname %W~in:${host}:samples (+blpop %RW~${questionsKey(host)}) ` +
          `(+set %W~${answerKey(host, '*')})`,
      ),
    '',
  ].join('\n');
}

/** Tried again for ever: what kept it from starting, a full disk for one, may be over at any time. */
const REDIS_UNIT = `# Made by pipeline.
[Unit]
Description=Redis of the monitor (pipeline)
StartLimitIntervalSec=0
After=network.target

[Service]
Type=notify
User=redis
Group=redis
ExecStart=/usr/bin/redis-server /etc/pipeline/redis.conf --supervised systemd --daemonize no
Restart=always
RestartSec=1s
TimeoutStopSec=60s
LimitNOFILE=65535
RuntimeDirectory=pipeline-redis
RuntimeDirectoryMode=0750
StateDirectory=pipeline-redis
StateDirectoryMode=0750
${HARDENED}
CapabilityBoundingSet=

[Install]
WantedBy=multi-user.target
`;

const hubUnit = ({ node, program, statusFolder }: HubParams) => `# Made by pipeline.
[Unit]
Description=Hub of the monitor (pipeline)
StartLimitIntervalSec=0
After=network.target pipeline-redis.service
Wants=pipeline-redis.service

[Service]
User=${USER}
SupplementaryGroups=redis
${TRUSTED}
ExecStart=${node} ${program} run
Restart=always
RestartSec=1s
TimeoutStopSec=15s
TasksMax=64
LogsDirectory=pipeline-hub
LogsDirectoryMode=0750
${statusFolder === undefined ? '' : `ReadWritePaths=${statusFolder}\n`}\
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
${HARDENED}

[Install]
WantedBy=multi-user.target
`;

/**
 * A second lock behind the host's firewall: Redis is for the fleet, also where nothing else closes the port.
 */
function firewallRules(fleet: readonly string[]): string {
  const set = (family: 4 | 6) =>
    fleet.filter((address) => address.includes(':') === (family === 6)).toSorted();
  const rule = (name: string, addresses: readonly string[]) =>
    addresses.length === 0
      ? `    meta nfproto ${name === 'ip' ? 'ipv4' : 'ipv6'} drop\n`
      : `    ${name} saddr != { ${addresses.join(', ')} } drop\n`;
  return `  chain input {
    type filter hook input priority filter + 5
    policy accept
    iif "lo" accept
    tcp dport ${REDIS_PORT} jump redis
  }

  chain redis {
${rule('ip', set(4))}${rule('ip6', set(6))}  }
`;
}

/** The monitor's Redis, behind its firewall, before the hub that writes to it. */
export function hubResources(params: HubParams): readonly Resource[] {
  return [
    { kind: 'package', name: 'libatomic1' },
    { kind: 'package', name: 'nftables' },
    { kind: 'firewall', table: 'inet pipeline_monitor', rules: firewallRules(params.fleet) },
    ...redisResources(params),
    ...programResources(params),
  ];
}

function redisResources(params: HubParams): readonly Resource[] {
  const redisOnly = { mode: '0640', owner: 'redis', group: 'redis' } as const;
  return [
    {
      ...REDIS_THEIRS,
      fate: 'stop',
      says: "it has the port that the monitor's own Redis needs",
      next: 'Take another host for the monitor, or move that Redis away. Then run the command again.',
    },
    { kind: 'package', name: 'redis-server' },
    // Debian starts one for everybody; the monitor has its own.
    { kind: 'service', unit: 'redis-server.service', enabled: false, state: 'stopped' },
    {
      kind: 'command',
      name: 'give Redis its key',
      unless: `[ "$(stat -c %U:%a ${MONITOR_SECRETS}/redis.key)" = redis:400 ]`,
      run: `chown redis:redis ${MONITOR_SECRETS}/redis.key && chmod 400 ${MONITOR_SECRETS}/redis.key`,
    },
    { kind: 'file', path: '/etc/pipeline/redis.conf', content: redisConf(params.maxMemory), ...redisOnly },
    { kind: 'file', path: '/etc/pipeline/redis.acl', content: aclFile(params), ...redisOnly, secret: true },
    { kind: 'file', path: '/etc/systemd/system/pipeline-redis.service', content: REDIS_UNIT },
    {
      kind: 'service',
      unit: 'pipeline-redis.service',
      enabled: true,
      restartOn: [
        'file /etc/pipeline/redis.conf',
        'file /etc/pipeline/redis.acl',
        'file /etc/systemd/system/pipeline-redis.service',
      ],
    },
  ];
}

function programResources(params: HubParams): readonly Resource[] {
  const { tls, statusFolder } = params;
  const own = { owner: USER, group: USER, secret: true } as const;
  return [
    { kind: 'user', name: USER, system: true, groups: ['redis'] },
    ...(statusFolder === undefined
      ? []
      : ([{ kind: 'directory', path: statusFolder, owner: USER, group: USER }] as const)),
    ...(tls === undefined
      ? []
      : ([
          { kind: 'file', path: TLS_CERTIFICATE, content: tls.certificate, mode: '0644' },
          { kind: 'file', path: TLS_KEY, content: tls.key, mode: '0600', ...own },
        ] as const)),
    { kind: 'file', path: CONFIG, content: params.config, mode: '0600', ...own },
    { kind: 'file', path: '/etc/systemd/system/pipeline-hub.service', content: hubUnit(params) },
    {
      kind: 'service',
      unit: 'pipeline-hub.service',
      enabled: true,
      restartOn: [
        `file ${CONFIG}`,
        'file /etc/systemd/system/pipeline-hub.service',
        ...(tls === undefined ? [] : [`file ${TLS_CERTIFICATE}`, `file ${TLS_KEY}`]),
      ],
    },
  ];
}
