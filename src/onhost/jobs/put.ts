/**
 * Timers of the release that stays. What did not change is left alone, so a running job goes on, and none
 * runs twice: there is one timer for each job, whichever versions stand side by side.
 */
import { jobFailedUnit, timerStamp } from '../../contract/jobs.ts';
import { JOB_RUNS, jobTimer, jobUnit, liveLink } from '../../contract/places.ts';
import type { OrderedJob } from '../../contract/release.ts';
import { unitPath } from '../colours.ts';
import type { Host } from '../host.ts';
import { failed, type Scene, sayer } from '../scene.ts';

const UNITS = '/etc/systemd/system';
const WANTED = `${UNITS}/timers.target.wants`;

/** Done again, it does what is left. */
export async function putJobs(scene: Scene): Promise<void> {
  const { host, placed } = scene;
  const { app, release } = placed.manifest;
  const jobs = placed.jobs ?? [];
  const stale = (await timersOf(host, app)).filter((timer) => jobs.every((job) => job.timer !== timer));
  for (const timer of stale) await removeTimer(host, app, timer);
  if (jobs.length > 0) {
    await host.makeFolder(`${JOB_RUNS}/${app}`);
    await host.link(`releases/${release}`, liveLink(app));
  }
  const starting: string[] = [];
  let changed = stale.length > 0;
  for (const job of jobs) {
    const written = await writeJob(host, job);
    changed ||= written;
    if ((await host.unit(job.timer)).active !== 'active') starting.push(job.timer);
  }
  if (changed) await host.reloadUnits();
  for (const timer of starting) {
    if (await host.start(timer)) continue;
    const { said } = await host.run('systemctl', 'status', '--no-pager', timer);
    throw failed('jobs', `${timer} cannot be started`, said.trim().split('\n'));
  }
  for (const { timer } of jobs) await host.link(`../${timer}`, `${WANTED}/${timer}`);
  if (jobs.length === 0) await host.remove(liveLink(app));
  if (changed || starting.length > 0) {
    sayer(scene.tell, 'jobs').done(jobs.map(({ name }) => name).join(', ') || 'none any more');
  }
}

/** @returns whether systemd must read its units again. A timer with another time has stopped then. */
async function writeJob(host: Host, { unit, unitText, timer, timerText }: OrderedJob): Promise<boolean> {
  let changed = false;
  if ((await host.read(unitPath(unit))) !== unitText) {
    await host.write(unitPath(unit), unitText, 0o644);
    changed = true;
  }
  if ((await host.read(unitPath(timer))) !== timerText) {
    await host.stop(timer);
    // A time of the new ones that has passed already was not missed.
    await host.write(timerStamp(timer), '', 0o644);
    await host.write(unitPath(timer), timerText, 0o644);
    changed = true;
  }
  return changed;
}

/** Names of the timers of an application's jobs. */
async function timersOf(host: Host, app: string): Promise<readonly string[]> {
  const [start = '', end = ''] = jobTimer(app, '*').split('*');
  return (await host.list(UNITS)).filter((name) => name.startsWith(start) && name.endsWith(end));
}

/** A run that is under way ends by itself. */
async function removeTimer(host: Host, app: string, timer: string): Promise<void> {
  await host.remove(`${WANTED}/${timer}`);
  await host.stop(timer);
  // Put back later, it has not missed anything.
  await host.remove(timerStamp(timer));
  const unit = timer.replace(/timer$/, 'service');
  await host.remove(unitPath(unit));
  await host.remove(unitPath(timer));
  const [start = ''] = jobUnit(app, '*').split('*');
  const job = unit.slice(start.length, -'.service'.length);
  // Nothing would end the failure of a job that is gone.
  for (const one of [unit, jobFailedUnit(app, job)]) {
    if ((await host.unit(one)).active === 'failed') await host.stop(one);
  }
}
