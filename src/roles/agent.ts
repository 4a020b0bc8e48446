/**
 * The agent on a host: its user, its configuration, its unit. The program and its Node are brought by
 * `monitor setup`.
 */

import { AGENT_CONFIG } from '../contract/agent.ts';
import type { Resource } from '../host/resource.ts';
import { LOG_FOLDER } from './log-folder.ts';

const AGENT_USER = 'pipeline-agent';

export interface AgentParams {
  /** Paths on the host. */
  readonly node: string;
  readonly program: string;
  /** JSON of /etc/pipeline/agent.json; holds a password. */
  readonly config: string;
  /** MariaDB runs here: the agent may see its connections and sizes, and no row. */
  readonly mariadb: boolean;
}

/** Memory that V8 can do without; docs/measured.md says how much that saves. */
export const AGENT_FLAGS =
  '--lite-mode --expose-gc --max-semi-space-size=1 --max-old-space-size=64 --v8-pool-size=1';

const unit = ({ node, program }: AgentParams) => `# Made by pipeline.
[Unit]
Description=Agent of the monitor (pipeline)
StartLimitIntervalSec=0
After=network.target

[Service]
User=${AGENT_USER}
SupplementaryGroups=adm
${TRUSTED}
ExecStart=${node} ${AGENT_FLAGS} ${program} run
Restart=always
RestartSec=2s
StateDirectory=pipeline-agent
StateDirectoryMode=0700
MemoryMax=160M
TasksMax=64
Nice=5
OOMScoreAdjust=-200
${HARDENED}
CapabilityBoundingSet=

[Install]
WantedBy=multi-user.target
`;

/** Node does not look at the authorities that a host's administrator added (`update-ca-certificates`). */
export const TRUSTED = 'Environment=NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt';

/**
 * Reads the system and talks to sockets, nothing else. V8 writes code that it runs, so MemoryDenyWriteExecute
 * is no option.
 */
export const HARDENED = `NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
UMask=0077`;

const ACCOUNT = `'${AGENT_USER}'@'localhost'`;
const GRANT =
  `mariadb --batch -e "CREATE USER IF NOT EXISTS ${ACCOUNT} IDENTIFIED VIA unix_socket; ` +
  `GRANT PROCESS ON *.* TO ${ACCOUNT}"`;
const GRANTED = `mariadb --batch -e "SHOW GRANTS FOR ${ACCOUNT}" | grep -q PROCESS`;

export function agentResources(params: AgentParams): readonly Resource[] {
  return [
    // Node from 25 on is linked against it.
    { kind: 'package', name: 'libatomic1' },
    { kind: 'user', name: AGENT_USER, system: true, groups: ['adm'] },
    { kind: 'directory', path: '/etc/pipeline' },
    LOG_FOLDER,
    {
      kind: 'command',
      name: 'let the agent read the audit log',
      unless: '! find /var/log/pipeline -name "audit.jsonl*" ! -group adm | grep -q .',
      run: 'chgrp adm /var/log/pipeline/audit.jsonl*',
    },
    {
      kind: 'file',
      path: AGENT_CONFIG,
      content: params.config,
      mode: '0600',
      owner: AGENT_USER,
      group: AGENT_USER,
      secret: true,
    },
    { kind: 'file', path: '/etc/systemd/system/pipeline-agent.service', content: unit(params) },
    ...(params.mariadb
      ? [
          {
            kind: 'command',
            name: 'let the agent see MariaDB',
            // Where its first deploy brings MariaDB, the setup after that lets the agent in.
            unless: `! command -v mariadb >/dev/null || ${GRANTED}`,
            run: GRANT,
          } as const,
        ]
      : []),
    {
      kind: 'service',
      unit: 'pipeline-agent.service',
      enabled: true,
      restartOn: [`file ${AGENT_CONFIG}`, 'file /etc/systemd/system/pipeline-agent.service'],
    },
  ];
}
