/** Units of jobs: a timer, and the service that it starts. Pure text. */
import { jobBeganFile, timerStamp } from '../../contract/jobs.ts';
import type { Manifest, ManifestJob } from '../../contract/manifest.ts';
import { jobTimer, jobUnit, liveLink, ONHOST } from '../../contract/places.ts';
import type { OrderedJob } from '../../contract/release.ts';
import { programLines } from './processes.ts';
import { confinement, logging } from './unit.ts';

/** The jobs of a release, as systemd reads them. */
export function jobsOf(manifest: Manifest): readonly OrderedJob[] {
  return (manifest.jobs ?? []).map((job) => ({
    name: job.name,
    unit: jobUnit(manifest.app, job.name),
    unitText: serviceText(manifest, job),
    timer: jobTimer(manifest.app, job.name),
    timerText: timerText(manifest.app, job),
  }));
}

/**
 * Paths go through the live link, so a job runs in the release that serves when its time comes. It runs once
 * at a time: a time that comes meanwhile follows when it has ended.
 */
function serviceText(manifest: Manifest, { name, timeout }: ManifestJob): string {
  const { app } = manifest;
  const folder = liveLink(app);
  const began = jobBeganFile(app, name);
  const lines = [
    '# Written by pipeline. Changes here are overwritten by the next deploy.',
    '[Unit]',
    `Description=${app} (job ${name})`,
    'After=network.target mariadb.service mongod.service',
    '',
    '[Service]',
    'Type=oneshot',
    ...programLines(manifest, folder),
    // Its time is when it began; left behind, it tells of a run that the host did not survive.
    `ExecStartPre=+/usr/bin/touch ${began}`,
    // A power cut must not make its time look missed: it would run twice for it.
    `ExecStartPre=+-/usr/bin/sync ${began} ${timerStamp(jobTimer(app, name))}`,
    `ExecStart=${folder}/jobs/${name}`,
    // As root: what became of it is written where the application cannot.
    `ExecStopPost=+${ONHOST}/node/bin/node ${ONHOST}/current job-ended ${app} ${name}`,
    `TimeoutStartSec=${timeout}ms`,
    'TimeoutStopSec=30s',
    ...logging(app),
    ...confinement(manifest, null),
  ];
  return `${lines.join('\n')}\n`;
}

/** One that was missed while the host was away is caught up, once. */
function timerText(app: string, { name, calendar }: ManifestJob): string {
  const lines = [
    '# Written by pipeline. Changes here are overwritten by the next deploy.',
    '[Unit]',
    `Description=Times of ${app} (job ${name})`,
    '',
    '[Timer]',
    ...calendar.map((event) => `OnCalendar=${event}`),
    'Persistent=true',
    'AccuracySec=1s',
    '',
    '[Install]',
    'WantedBy=timers.target',
  ];
  return `${lines.join('\n')}\n`;
}
