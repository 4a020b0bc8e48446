/** What becomes of jobs' runs: told by each one's unit when it has ended, read by whoever asks. */
import {
  type JobRun,
  type JobStatus,
  jobBeganFile,
  jobByFile,
  jobFailedUnit,
  jobRunsFile,
} from '../../contract/jobs.ts';
import type { Manifest } from '../../contract/manifest.ts';
import { jobTimer, jobUnit, liveLink } from '../../contract/places.ts';
import type { Host } from '../host.ts';
import { tellAudit } from '../settle.ts';

/** Runs of a job that are kept. */
const KEPT = 100;

/** What systemd says to ExecStopPost (systemd.exec, "Environment variables"). */
export interface ServiceEnd {
  /** `SERVICE_RESULT`: success, exit-code, signal, timeout, oom-kill, … */
  readonly result: string;
  /** `EXIT_CODE`: exited, killed, dumped; empty: it never ran. */
  readonly code: string;
  /** `EXIT_STATUS`: a number, or the name of a signal. */
  readonly status: string;
}

/** Keeps what a run came to. */
export async function jobEnded(app: string, job: string, end: ServiceEnd, host: Host): Promise<void> {
  const ended = host.now();
  await keepRun(host, app, job, {
    began: iso((await host.changedAt(jobBeganFile(app, job))) ?? ended),
    ended: iso(ended),
    result: end.result === 'success' && end.code === 'exited' ? 'done' : 'failed',
    why: endWords(end),
    by: await startedBy(host, app, job),
  });
  // From here on, the job's own unit says whether it failed.
  const marked = jobFailedUnit(app, job);
  if ((await host.unit(marked)).active !== 'inactive') await host.stop(marked);
}

/** Appends a run to the others. Failures, and runs by hand, go into the audit log. */
export async function keepRun(host: Host, app: string, job: string, run: JobRun): Promise<void> {
  const before = ((await host.read(jobRunsFile(app, job))) ?? '').split('\n').filter((line) => line !== '');
  const lines = [...before.slice(1 - KEPT), JSON.stringify(run)];
  await host.write(jobRunsFile(app, job), `${lines.join('\n')}\n`, 0o644);
  await forgetBegan(host, app, job);
  if (run.result === 'done' && run.by === null) return;
  await tellAudit(host, {
    at: run.ended,
    by: run.by ?? 'timer',
    action: 'job',
    result: run.result === 'done' ? 'done' : 'failed',
    app,
    message: `${job}: ${run.why}`,
  });
}

/** No run is under way any more. */
export async function forgetBegan(host: Host, app: string, job: string): Promise<void> {
  await host.remove(jobByFile(app, job));
  await host.remove(jobBeganFile(app, job));
}

/** Who runs it by hand; null: its timer does. */
export async function startedBy(host: Host, app: string, job: string): Promise<string | null> {
  return (await host.read(jobByFile(app, job)))?.trim() || null;
}

/** The run that ended last; null: none did. */
export async function lastRun(host: Host, app: string, job: string): Promise<JobRun | null> {
  const last = ((await host.read(jobRunsFile(app, job))) ?? '').trim().split('\n').at(-1);
  return last === undefined || last === '' ? null : (JSON.parse(last) as JobRun);
}

/** Whether a run of it is under way. */
export async function jobRuns(host: Host, app: string, job: string): Promise<boolean> {
  const { active } = await host.unit(jobUnit(app, job));
  return active === 'activating' || active === 'deactivating';
}

function endWords({ result, code, status }: ServiceEnd): string {
  if (result === 'timeout') return 'it took too long';
  if (result === 'oom-kill') return 'it needed more memory than it may have';
  if (code === 'exited') return `exit code ${status}`;
  return code === '' ? `it did not run (${result})` : `it was stopped (${status})`;
}

/** Every job of the release that serves; none where this host runs none. */
export async function jobStatuses(app: string, host: Host): Promise<readonly JobStatus[]> {
  const text = await host.read(`${liveLink(app)}/release.json`);
  const jobs = text === undefined ? [] : ((JSON.parse(text) as Manifest).jobs ?? []);
  const found: JobStatus[] = [];
  for (const { name, run, when } of jobs) {
    const runs = await jobRuns(host, app, name);
    const began = await host.changedAt(jobBeganFile(app, name));
    const next = await host.nextElapse(jobTimer(app, name));
    found.push({
      ...{ name, run, when },
      next: next === undefined ? null : iso(next),
      running: runs ? iso(began ?? host.now()) : null,
      interrupted: !runs && began !== undefined ? iso(began) : null,
      last: await lastRun(host, app, name),
    });
  }
  return found;
}

/** ISO 8601 in UTC. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
