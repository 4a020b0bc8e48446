/** What jobs need on every host: failures that outlive it (onhost/jobs/boot.ts). */

import { JOB_FAILED } from '../contract/jobs.ts';
import { JOB_RUNS, ONHOST } from '../contract/places.ts';
import type { Resource } from '../host/resource.ts';

/**
 * Timers start their jobs after basic.target, which waits for timers.target; so this has ended, or has had
 * its time, before a job runs.
 */
const BOOT_UNIT = `# Made by pipeline.
[Unit]
Description=Jobs that the host went down with
DefaultDependencies=no
After=local-fs.target sysinit.target
Before=timers.target shutdown.target
Conflicts=shutdown.target
ConditionPathExists=${ONHOST}/current
ConditionPathExists=${JOB_RUNS}

[Service]
Type=oneshot
ExecStart=${ONHOST}/node/bin/node ${ONHOST}/current jobs-after-boot
TimeoutStartSec=60s

[Install]
WantedBy=timers.target
`;

/**
 * Fails, and stays failed until the job has run again, so that people are called. It waits for nothing: what
 * starts it at boot is what other units wait for.
 */
const FAILED_UNIT = `# Made by pipeline.
[Unit]
Description=Job %i, which failed before the host went down
DefaultDependencies=no

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo "its last run failed: see pipeline jobs" >&2; exit 1'
`;

export const JOB_UNITS: readonly Resource[] = [
  { kind: 'file', path: `/etc/systemd/system/${JOB_FAILED}@.service`, content: FAILED_UNIT },
  { kind: 'file', path: '/etc/systemd/system/pipeline-jobs.service', content: BOOT_UNIT },
  { kind: 'service', unit: 'pipeline-jobs.service', enabled: true, state: 'ignored' },
];
