/**
 * At boot, before any timer's job can start: what became of jobs while the host went down. systemd forgets
 * failures with it, so each job whose last run failed, or was cut off, fails anew as a unit of its own.
 */
import { type JobRun, jobBeganFile, jobFailedUnit } from '../../contract/jobs.ts';
import { JOB_RUNS, jobTimer } from '../../contract/places.ts';
import { unitPath } from '../colours.ts';
import type { Host } from '../host.ts';
import { forgetBegan, iso, jobRuns, keepRun, lastRun, startedBy } from './runs.ts';

const BEGAN = '.began';
const RUNS = '.jsonl';

/** What a job left behind. */
export interface JobTraces {
  /** When the run began whose marker is there, ISO 8601 in UTC; null: there is none. */
  readonly began: string | null;
  readonly running: boolean;
  readonly last: JobRun | null;
}

/**
 * What is to be done: a run is `cut` off where nothing tells its end, its marker is `stale` where its end was
 * told, and the job has `failed` by its last run.
 */
export interface JobAfterBoot {
  readonly cut: boolean;
  readonly stale: boolean;
  readonly failed: boolean;
}

export function jobAfterBoot({ began, running, last }: JobTraces): JobAfterBoot {
  if (running) return { cut: false, stale: false, failed: false };
  const stale = began !== null && began === last?.began;
  const cut = began !== null && !stale;
  return { cut, stale, failed: cut || (last !== null && last.result !== 'done') };
}

/** Done again, it tells of nothing twice. */
export async function jobsAfterBoot(host: Host): Promise<void> {
  for (const app of await host.list(JOB_RUNS)) {
    for (const job of jobsIn(await host.list(`${JOB_RUNS}/${app}`))) await afterBoot(host, app, job);
  }
}

function jobsIn(files: readonly string[]): readonly string[] {
  const names = files.flatMap((file) => {
    const end = [BEGAN, RUNS].find((one) => file.endsWith(one));
    return end === undefined ? [] : [file.slice(0, -end.length)];
  });
  return [...new Set(names)];
}

async function afterBoot(host: Host, app: string, job: string): Promise<void> {
  const marker = await host.changedAt(jobBeganFile(app, job));
  const began = marker === undefined ? null : iso(marker);
  const running = await jobRuns(host, app, job);
  const { cut, stale, failed } = jobAfterBoot({ began, running, last: await lastRun(host, app, job) });
  if (stale) await forgetBegan(host, app, job);
  if (cut && began !== null) {
    const why = 'the host went down while it ran';
    const by = await startedBy(host, app, job);
    await keepRun(host, app, job, { began, ended: iso(host.now()), result: 'interrupted', why, by });
  }
  // One that the definition has no more would stay failed for ever.
  const kept = await host.exists(unitPath(jobTimer(app, job)));
  if (failed && kept) await host.restart(jobFailedUnit(app, job));
}
