/**
 * FerretDB: what its servers need on a host. A deploy brings the program, and gives each database a server of
 * its own.
 */

import type { Resource } from '../host/resource.ts';
import type { Role } from './role.ts';

/** `programs/` has them by SHA-256; beside it lies a link to one of them for each server. */
export const FERRETDB_PROGRAMS = '/opt/pipeline/ferretdb';
/** Data, in a folder for each server. */
export const FERRETDB_DATA = '/var/lib/ferretdb';
export const FERRETDB_USER = 'ferretdb';
/** What is kept of databases: the environment of such a server, with its password. */
export const DATABASES = '/etc/pipeline/databases';

/** FerretDB 1 knows users but no rights, so each database has a server of its own: docs/databases.md. */
const UNIT = `# Made by pipeline.
[Unit]
Description=FerretDB %i (pipeline)
After=network.target
StartLimitIntervalSec=0

[Service]
User=${FERRETDB_USER}
Group=${FERRETDB_USER}
EnvironmentFile=${DATABASES}/%i/env
ExecStart=${FERRETDB_PROGRAMS}/%i
Restart=always
RestartSec=500ms
StateDirectory=ferretdb/%i
StateDirectoryMode=0700
WorkingDirectory=${FERRETDB_DATA}/%i
LimitNOFILE=65536
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
IPAddressDeny=any
IPAddressAllow=localhost
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;

const resources: readonly Resource[] = [
  // Consistent copies of its files for backups.
  { kind: 'package', name: 'sqlite3' },
  { kind: 'user', name: FERRETDB_USER, system: true },
  { kind: 'directory', path: `${FERRETDB_PROGRAMS}/programs` },
  { kind: 'directory', path: FERRETDB_DATA, owner: FERRETDB_USER, mode: '0700' },
  { kind: 'directory', path: DATABASES, mode: '0700' },
  { kind: 'file', path: '/etc/systemd/system/ferretdb@.service', content: UNIT },
];

export const ferretdb: Role = { name: 'ferretdb', exposures: [], resources: () => resources };
