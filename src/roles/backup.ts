/** What backs a host up: restic, what it may know, and a timer. The program is pipeline's own on hosts. */

import type { BackupPlan } from '../contract/backup.ts';
import {
  BACKUP_CREDENTIALS,
  BACKUP_FOLDER,
  BACKUP_KEY,
  BACKUP_KNOWN_HOSTS,
  BACKUP_PASSWORD,
  BACKUP_PLAN,
  BACKUP_STATE,
  BACKUP_TIMER,
  BACKUP_UNIT,
  BACKUP_WATCH,
  BACKUP_WEIGHT,
} from '../contract/backup-paths.ts';
import { AUDIT_LOG, ONHOST } from '../contract/places.ts';
import type { FileResource, Resource } from '../host/resource.ts';
import { LOG_FOLDER } from './log-folder.ts';

/** What a host's backups need besides its plan. */
export interface BackupParams {
  readonly plan: BackupPlan;
  readonly password: string;
  /** sftp: private key and `known_hosts`. */
  readonly sftp?: { readonly key: string; readonly knownHosts: string } | undefined;
  /** s3: `ID:SECRET`. */
  readonly s3?: string | undefined;
}

const HOUR_MS = 3_600_000;

/** How often the timer looks whether anything is due, seconds: what failed is tried again so often. */
function tickSeconds(everyMs: number): number {
  return Math.round(Math.min(HOUR_MS, Math.max(60_000, everyMs / 12)) / 1000);
}

/** Whatever serves comes first. */
const SERVICE = `# Made by pipeline.
[Unit]
Description=Backup of this host
After=network-online.target mariadb.service mongod.service
ConditionPathExists=${ONHOST}/current

[Service]
Type=oneshot
ExecStart=${ONHOST}/node/bin/node --max-semi-space-size=1 --max-old-space-size=96 ${ONHOST}/current backup tick
TimeoutStartSec=12h
Nice=19
IOSchedulingClass=idle
CPUWeight=${BACKUP_WEIGHT}
IOWeight=${BACKUP_WEIGHT}
OOMScoreAdjust=500
Environment=HOME=/root
UMask=0077
`;

const timer = (everyMs: number) => {
  const tick = tickSeconds(everyMs);
  return `# Made by pipeline.
[Unit]
Description=Backups of this host

[Timer]
OnActiveSec=60s
OnUnitInactiveSec=${tick}s
RandomizedDelaySec=${Math.round(tick / 4)}s

[Install]
WantedBy=timers.target
`;
};

/** A deploy writes there: secrets and what serves are backed up right after it. */
const WATCH = `# Made by pipeline.
[Unit]
Description=Backup after a deploy

[Path]
PathModified=${AUDIT_LOG}
TriggerLimitIntervalSec=10s
TriggerLimitBurst=200

[Install]
WantedBy=paths.target
`;

const unit = (name: string) => `/etc/systemd/system/${name}`;

export function backupResources({ plan, password, sftp, s3 }: BackupParams): readonly Resource[] {
  const secret = (path: string, content: string): FileResource => ({
    kind: 'file',
    path,
    content: `${content.trimEnd()}\n`,
    mode: '0600',
    secret: true,
  });
  const keys =
    sftp === undefined
      ? []
      : [
          secret(BACKUP_KEY, sftp.key),
          { kind: 'file', path: BACKUP_KNOWN_HOSTS, content: sftp.knownHosts, mode: '0600' } as const,
        ];
  return [
    { kind: 'package', name: 'restic' },
    // Node from 25 on is linked against it.
    { kind: 'package', name: 'libatomic1' },
    { kind: 'directory', path: '/etc/pipeline' },
    { kind: 'directory', path: BACKUP_FOLDER, mode: '0700' },
    { kind: 'directory', path: '/var/lib/pipeline' },
    { kind: 'directory', path: BACKUP_STATE },
    LOG_FOLDER,
    secret(BACKUP_PASSWORD, password),
    ...keys,
    ...(s3 === undefined ? [] : [secret(BACKUP_CREDENTIALS, s3)]),
    { kind: 'file', path: BACKUP_PLAN, content: `${JSON.stringify(plan, null, 2)}\n`, mode: '0600' },
    { kind: 'file', path: unit(BACKUP_UNIT), content: SERVICE },
    { kind: 'file', path: unit(BACKUP_TIMER), content: timer(plan.every) },
    { kind: 'file', path: unit(BACKUP_WATCH), content: WATCH },
    { kind: 'service', unit: BACKUP_TIMER, enabled: true },
    { kind: 'service', unit: BACKUP_WATCH, enabled: true },
  ];
}
