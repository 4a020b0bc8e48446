/** What runs beside the web processes, for tests: orders and a host with processes and jobs. */
import type { Manifest } from '../../src/contract/manifest.ts';
import type { Placed, ReleaseOrder, Settle, TakeOver } from '../../src/contract/release.ts';
import { jobsOf } from '../../src/release/order/jobs.ts';
import { processesIn } from '../../src/release/order/processes.ts';
import type { FakeHost } from './fake-host.ts';
import { OLD, placed, servingHost, settle, takeOver } from './orders.ts';

export const WANTED = '/etc/systemd/system/multi-user.target.wants';
export const TIMER = 'pipeline-shop@job-nightly.timer';

type Process = NonNullable<Manifest['processes']>[number];
export type Job = NonNullable<Manifest['jobs']>[number];

function process(name: string, more: Partial<Process> = {}): Process {
  return {
    ...{ name, run: `node ${name}.js`, instances: 1, memory: null, when: 'before', exclusive: false },
    ...{ stopSignal: 'SIGTERM', stopWithin: 30_000, ...more },
  };
}

export function job(name: string, calendar = '03:00 UTC'): Job {
  return { name, run: `node ${name}.js`, calendar: [calendar], when: calendar, timeout: 60_000 };
}

export function withBesides<T extends Placed>(
  order: T,
  processes: readonly Process[],
  jobs: readonly Job[] = [],
): T {
  const manifest: Manifest = { ...order.manifest, processes: [...processes], jobs: [...jobs] };
  const ordered = { processes: processesIn(manifest, order.colour), jobs: jobsOf(manifest) };
  return { ...order, manifest, ...ordered };
}

const WORKER = process('worker', { exclusive: true });
export const OLD_ONES = [WORKER, process('mailer')];
export const NEW_ONES = [WORKER, process('mailer'), process('painter', { when: 'after' })];

/** Serves OLD in blue, with its processes; the files of NEW have arrived. */
export function host(): FakeHost {
  const made = servingHost();
  const old = withBesides(placed(OLD, 'blue'), OLD_ONES);
  made.files.set('/srv/shop/blue/release.json', JSON.stringify(old.manifest));
  for (const { unit, unitText } of old.processes ?? []) {
    made.files.set(`/etc/systemd/system/${unit}`, unitText);
    made.units.set(unit, { active: 'active', restarts: 0 });
    made.links.set(`${WANTED}/${unit}`, `../${unit}`);
  }
  return made;
}

export const newTakeOver = (more: Partial<TakeOver> = {}) => withBesides(takeOver(more), NEW_ONES);
export const newSettle = (more: Partial<Settle> = {}) =>
  withBesides(settle(more), NEW_ONES, [job('nightly')]);
export const order = (): ReleaseOrder => ({
  verb: 'take-over',
  takeOver: newTakeOver(),
  settle: newSettle(),
});

export function active(at: FakeHost, unit: string): boolean {
  return at.units.get(unit)?.active === 'active';
}

export function enabled(at: FakeHost, unit: string): boolean {
  return at.links.has(`${WANTED}/${unit}`);
}
