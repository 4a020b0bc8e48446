/** What becomes of jobs' runs: told by each one's unit when it has ended, read by whoever asks. */
import { type JobRun, type JobStatus, jobBeganFile, jobByFile, jobRunsFile } from '../../contract/jobs.ts';
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

/** Keeps what a run came to. Failures, and runs by hand, go into the audit log. */
export async function jobEnded(app: string, job: string, end: ServiceEnd, host: Host): Promise<void> {
  const ended = host.now();
  const by = (await host.read(jobByFile(app, job)))?.trim() || null;
  const run: JobRun = {
    began: iso((await host.changedAt(jobBeganFile(app, job))) ?? ended),
    ended: iso(ended),
    result: end.result === 'success' && end.code === 'exited' ? 'done' : 'failed',
    why: endWords(end),
    by,
  };
  const before = ((await host.read(jobRunsFile(app, job))) ?? '').split('\n').filter((line) => line !== '');
  const lines = [...before.slice(1 - KEPT), JSON.stringify(run)];
  await host.write(jobRunsFile(app, job), `${lines.join('\n')}\n`, 0o644);
  await host.remove(jobByFile(app, job));
  await host.remove(jobBeganFile(app, job));
  if (run.result === 'done' && by === null) return;
  await tellAudit(host, {
    at: run.ended,
    by: by ?? 'timer',
    action: 'job',
    result: run.result,
    app,
    message: `${job}: ${run.why}`,
  });
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
    const { active } = await host.unit(jobUnit(app, name));
    const runs = active === 'activating' || active === 'deactivating';
    const began = await host.changedAt(jobBeganFile(app, name));
    const next = await host.nextElapse(jobTimer(app, name));
    const last = ((await host.read(jobRunsFile(app, name))) ?? '').trim().split('\n').at(-1);
    found.push({
      ...{ name, run, when },
      next: next === undefined ? null : iso(next),
      running: runs ? iso(began ?? host.now()) : null,
      interrupted: !runs && began !== undefined ? iso(began) : null,
      last: last === undefined || last === '' ? null : (JSON.parse(last) as JobRun),
    });
  }
  return found;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
