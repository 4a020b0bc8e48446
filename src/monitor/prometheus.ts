/** The latest sample of every host in Prometheus's text format: every column of the catalogue, without another list. Pure. */
import { columnsOf, type Gauge, TABLE_NAMES, type TABLES, type Window } from '../metrics/catalogue.ts';
import { mean } from '../metrics/merge.ts';
import type { HostState } from './fleet.ts';

/** Gauges and latest values alone: counts of one interval are no counters. */
export function exposition(fleet: Iterable<HostState>, now: number): string {
  const hosts = [...fleet];
  const lines: string[] = [
    '# HELP pipeline_up 1 where the host was heard within 30 s',
    '# TYPE pipeline_up gauge',
  ];
  for (const { name, heardAt } of hosts)
    lines.push(
      `pipeline_up{host=${quoted(name)}} ${heardAt !== undefined && now - heardAt < 30_000 ? 1 : 0}`,
    );
  for (const table of TABLE_NAMES) {
    if (table === 'routes') continue;
    const columns = columnsOf(table);
    const labels = columns.filter(([, { kind }]) => kind === 'label').map(([key]) => key);
    for (const [key, column] of columns) {
      if (column.kind !== 'gauge' && column.kind !== 'latest') continue;
      const name = `pipeline_${table}_${key}`;
      const samples = hosts.flatMap(({ name: host, latest }) =>
        rowsOf(latest, table).flatMap((row) => {
          const value = mean(row[key] as Gauge | null);
          if (value === null) return [];
          const pairs = labels.map((label) => `,${label}=${quoted(String(row[label]))}`).join('');
          return [`${name}{host=${quoted(host)}${pairs}} ${value}`];
        }),
      );
      if (samples.length === 0) continue;
      lines.push(
        `# HELP ${name} ${column.help.replaceAll('\\', '\\\\')} (${column.unit})`,
        `# TYPE ${name} gauge`,
        ...samples,
      );
    }
  }
  lines.push(...requests(hosts));
  return `${lines.join('\n')}\n`;
}

/** Requests of the last sample by application and release, as rates. */
function requests(hosts: readonly HostState[]): string[] {
  const rate = (name: string, help: string, of: 'requests' | 'status_5xx') => {
    const samples = hosts.flatMap(({ name: host, recent }) => {
      const window = recent.at(-1);
      return (window?.routes ?? []).map(
        (row) =>
          `${name}{host=${quoted(host)},server=${quoted(row.server)},app=${quoted(row.app)},variant=${quoted(row.variant)},release=${quoted(row.release)}} ${row[of] / (window?.seconds ?? 1)}`,
      );
    });
    return samples.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...samples];
  };
  return [
    ...rate('pipeline_app_requests_per_second', 'Requests a second', 'requests'),
    ...rate('pipeline_app_errors_per_second', 'Answers 5xx a second', 'status_5xx'),
  ];
}

function rowsOf(
  window: Window | undefined,
  table: keyof typeof TABLES,
): readonly Readonly<Record<string, unknown>>[] {
  return (window?.[table] ?? []) as readonly Readonly<Record<string, unknown>>[];
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
