/** What the program on a host tells of an application's jobs. */
import { JOB_RUNS } from './places.ts';

/** One run that has ended. */
export interface JobRun {
  /** ISO 8601 in UTC. */
  readonly began: string;
  readonly ended: string;
  /** `interrupted`: the host went down while it ran; `ended` is when that was noticed. */
  readonly result: 'done' | 'failed' | 'interrupted';
  /** What it came to, e.g. `exit code 3`. */
  readonly why: string;
  /** Who ran it by hand; null: its timer did. */
  readonly by: string | null;
}

/** A job on the host that runs it. */
export interface JobStatus {
  readonly name: string;
  readonly run: string;
  /** Its times as people wrote them, e.g. `03:00 UTC`. */
  readonly when: string;
  /** ISO 8601 in UTC; null: never, or unknown while it runs. */
  readonly next: string | null;
  /** When the run that is under way began; null: none is. */
  readonly running: string | null;
  /** When a run began that the host went down with, and has not kept as one yet; null: none. */
  readonly interrupted: string | null;
  readonly last: JobRun | null;
}

/** Ended runs of a job, a line of JSON each. */
export function jobRunsFile(app: string, job: string): string {
  return `${JOB_RUNS}/${app}/${job}.jsonl`;
}

/** Is there from when a run begins until its end is told; changed when it began. */
export function jobBeganFile(app: string, job: string): string {
  return `${JOB_RUNS}/${app}/${job}.began`;
}

/** Changed when systemd starts a timer's unit. One that is missing at boot has nothing to catch up. */
export function timerStamp(timer: string): string {
  return `/var/lib/systemd/timers/stamp-${timer}`;
}

/** Fails at boot, and stays failed until the next run: the job's own unit forgets failures in a reboot. */
export function jobFailedUnit(app: string, job: string): string {
  return `${JOB_FAILED}@${app}:${job}.service`;
}
/** Name of its template. */
export const JOB_FAILED = 'pipeline-job-failed';

/** Who runs it by hand, for the run that begins next. */
export function jobByFile(app: string, job: string): string {
  return `${JOB_RUNS}/${app}/${job}.by`;
}
