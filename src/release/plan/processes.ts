/** Processes and jobs of a definition, as a release's manifest has them. Pure. */
import { calendarOfEvery } from '../../config/calendar.ts';
import type { AppConfig, JobConfig } from '../../config/schema.ts';
import type { Manifest, ManifestJob } from '../../contract/manifest.ts';
import { Failure } from '../../errors.ts';
import { duration } from '../../format.ts';

/**
 * Absent where there are none, so that a release without them is the same as before they existed.
 * @throws Failure kind `usage` where the application is files alone.
 */
export function processesIn(
  app: string,
  { processes, jobs }: Pick<AppConfig, 'processes' | 'jobs'>,
  runtime: Manifest['runtime'],
): Pick<Manifest, 'processes' | 'jobs'> {
  const own = Object.entries(processes);
  const timed = Object.entries(jobs);
  if (runtime === 'static' && own.length + timed.length > 0) {
    throw new Failure('usage', `${app}: processes: and jobs: are for applications that run, not for static`, {
      next: 'Remove them, or give the application a runtime.',
    });
  }
  return {
    ...(own.length === 0
      ? {}
      : {
          processes: own.map(([name, { run, instances, memory, when, exclusive, stop }]) => ({
            ...{ name, run, instances, when, exclusive },
            memory: memory ?? null,
            stopSignal: stop.signal,
            stopWithin: stop.within,
          })),
        }),
    ...(timed.length === 0 ? {} : { jobs: timed.map(([name, job]) => jobOf(name, job)) }),
  };
}

function jobOf(name: string, { run, at, every, zone, timeout }: JobConfig): ManifestJob {
  const times = [at ?? []].flat().map((time) => time.trim().replaceAll(/\s+/g, ' '));
  const calendar = at === undefined ? [calendarOfEvery(every ?? 0) ?? ''] : times;
  const when = at === undefined ? `every ${duration(every ?? 0)}` : times.join(', ');
  return { name, run, timeout, when: `${when} ${zone}`, calendar: calendar.map((one) => `${one} ${zone}`) };
}

/** Debian packages that a definition's jobs need: systemd knows UTC by itself, other zones by their files. */
export function jobPackages({ jobs }: Pick<AppConfig, 'jobs'>): readonly string[] {
  return Object.values(jobs).some(({ zone }) => zone !== 'UTC') ? ['tzdata'] : [];
}

/**
 * An inventory may have more hosts than pipeline.yml knows.
 * @throws Failure kind `usage` where two versions would run an exclusive process at once.
 */
export function checkExclusive(
  app: string,
  { processes }: Pick<AppConfig, 'processes'>,
  hosts: readonly { readonly name: string }[],
): void {
  const [name] = Object.entries(processes).find(([, { exclusive }]) => exclusive) ?? [];
  if (name === undefined || hosts.length < 2) return;
  const all = hosts.map((host) => host.name).join(', ');
  throw new Failure('usage', `${app}: ${name} is exclusive, and ${app} is on several hosts: ${all}`, {
    next:
      'They change their version one after the other, so two versions would run it at once: ' +
      'keep one host in the group, or remove exclusive.',
  });
}
