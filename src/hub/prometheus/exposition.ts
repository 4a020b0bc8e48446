/** Prometheus's text format, version 0.0.4. Pure. */
import type { HostState } from '../intake/fleet.ts';
import { type Family, gauges } from './families.ts';
import type { RemoteWriteState } from './remote-write.ts';
import type { Totals } from './totals.ts';

const HEARD_MS = 30_000;

export interface ExpositionSource {
  readonly fleet: Iterable<HostState>;
  readonly totals: Totals;
  readonly remoteWrite: RemoteWriteState | undefined;
}

/** The latest sample of every host, and the requests since the hub began. */
export function exposition({ fleet, totals, remoteWrite }: ExpositionSource, now: number): string {
  const hosts = [...fleet];
  const heard = hosts.filter(({ heardAt }) => heardAt !== undefined && now - heardAt < HEARD_MS);
  const families: readonly Family[] = [
    family('pipeline_up', 'gauge', '1 where the host was heard within 30 s', hosts, (host) =>
      heard.includes(host) ? 1 : 0,
    ),
    family(
      'pipeline_samples_lost_total',
      'counter',
      'Samples of a host that never arrived',
      hosts,
      ({ lost }) => lost,
    ),
    family(
      'pipeline_samples_refused_total',
      'counter',
      'Samples in the inbox of a host that were refused',
      hosts,
      ({ refused }) => refused,
    ),
    ...own(remoteWrite),
    // The last sample of a silent host says nothing about now.
    ...gauges(heard.flatMap(({ latest }) => latest ?? [])),
    ...totals.families(),
  ];
  return families.map(text).join('');
}

function family(
  name: string,
  type: Family['type'],
  help: string,
  hosts: readonly HostState[],
  of: (host: HostState) => number,
): Family {
  const samples = hosts.map((host) => ({ labels: { host: host.name }, value: of(host) }));
  return { name, type, help, samples };
}

function own(state: RemoteWriteState | undefined): Family[] {
  if (state === undefined) return [];
  const one = (name: string, type: Family['type'], help: string, value: number): Family => ({
    name: `pipeline_remote_write_${name}`,
    type,
    help,
    samples: [{ labels: {}, value }],
  });
  return [
    one('queued_samples', 'gauge', 'Samples that wait to be forwarded', state.queued),
    one('sent_samples_total', 'counter', 'Samples that the other store took', state.sent),
    one(
      'dropped_samples_total',
      'counter',
      'Samples that were given up: the queue was full, or the other store refused them',
      state.dropped,
    ),
  ];
}

function text({ name, help, type, samples }: Family): string {
  const lines = samples.map(({ suffix = '', labels, value }) => {
    const pairs = Object.entries(labels).map(([key, label]) => `${key}=${quoted(label)}`);
    return `${name}${suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
  });
  const said = help.replaceAll('\\', '\\\\').replaceAll('\n', ' ');
  return `# HELP ${name} ${said}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`;
}

function quoted(label: string): string {
  return `"${label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
