/** Charts of a host. Pure. */
import type { Row, Window } from '../../metrics/catalogue.ts';
import { mean } from '../../metrics/merge.ts';
import type { Chart, Line } from './charts.ts';

type System = Row<'system'>;
type Disk = Row<'disks'>;

const MOST_DISKS = 8;
const SILENT = 'The host sent no samples in this time.';

const system =
  (column: keyof System) =>
  ({ system: [row] }: Window): number | null => {
    const cell = row?.[column];
    return cell === undefined || typeof cell === 'string' ? null : mean(cell);
  };
const line = (name: string, column: keyof System): Line => ({ name, of: system(column) });
const stacked = (name: string, column: keyof System): Line => ({ ...line(name, column), stacked: true });
/** Of what was measured; null where nothing was. */
const sum = <T>(rows: readonly T[], of: (row: T) => number | null): number | null => {
  const measured = rows.flatMap((row) => of(row) ?? []);
  return measured.length === 0 ? null : measured.reduce((total, value) => total + value, 0);
};

const PROCESSOR: Chart = {
  id: 'cpu',
  title: 'Processor',
  unit: 'ratio',
  none: SILENT,
  lines: [
    stacked('user', 'cpu_user'),
    stacked('system', 'cpu_system'),
    stacked('iowait', 'cpu_iowait'),
    stacked('steal', 'cpu_steal'),
  ],
};
const MEMORY: Chart = {
  id: 'memory',
  title: 'Memory',
  unit: 'bytes',
  none: SILENT,
  lines: [stacked('used', 'memory_used'), stacked('cached', 'memory_cached'), line('total', 'memory_total')],
};
const SWAP: Chart = {
  id: 'swap',
  title: 'Swap',
  unit: 'bytes',
  none: SILENT,
  lines: [line('used', 'swap_used'), line('total', 'swap_total')],
};
const LOAD: Chart = {
  id: 'load',
  title: 'Load',
  unit: 'number',
  none:
    'Nothing was measured: the host was silent, or it is a container, ' +
    'whose own load the kernel does not tell.',
  lines: [line('1 min', 'load1'), line('5 min', 'load5'), line('15 min', 'load15'), line('cores', 'cores')],
};
const PRESSURE: Chart = {
  id: 'pressure',
  title: 'Pressure',
  unit: 'ratio',
  none:
    'Nothing was measured: the host was silent, or its kernel does not count pressure ' +
    '(boot it with psi=1).',
  lines: [line('processor', 'pressure_cpu'), line('memory', 'pressure_memory'), line('disk', 'pressure_io')],
};
const NETWORK: Chart = {
  id: 'network',
  title: 'Network',
  unit: 'bytes/s',
  none: SILENT,
  lines: [
    { name: 'received', of: ({ networks }) => sum(networks, ({ received }) => mean(received)) },
    { name: 'sent', of: ({ networks }) => sum(networks, ({ sent }) => mean(sent)) },
  ],
};

/** Disks get a line each. */
function diskCharts(windows: readonly Window[]): readonly Chart[] {
  const named = new Set(windows.flatMap(({ disks }) => disks.map(({ mount }) => mount)));
  const mounts = [...named].sort().slice(0, MOST_DISKS);
  const each = (of: (row: Disk) => number | null): readonly Line[] =>
    mounts.map((mount) => ({
      name: mount,
      of: ({ disks }) => {
        const row = disks.find((disk) => disk.mount === mount);
        return row === undefined ? null : of(row);
      },
    }));
  const none =
    'Nothing was measured: the host was silent, or none of its file systems lies on a disk of its own.';
  return [
    {
      id: 'disk-traffic',
      title: 'Disk traffic',
      unit: 'bytes/s',
      none,
      lines: [
        { name: 'read', of: ({ disks }) => sum(disks, ({ read }) => mean(read)) },
        { name: 'written', of: ({ disks }) => sum(disks, ({ written }) => mean(written)) },
      ],
    },
    { id: 'disk-busy', title: 'Disk busy', unit: 'ratio', none, lines: each(({ busy }) => mean(busy)) },
    { id: 'disk', title: 'Disk space', unit: 'ratio', none, lines: each(shareInUse) },
  ];
}

function shareInUse(disk: Disk): number | null {
  const [used, size] = [mean(disk.used), mean(disk.size)];
  return used === null || size === null || size === 0 ? null : used / size;
}

export function hostCharts(windows: readonly Window[]): readonly Chart[] {
  const hasSwap = windows.some((window) => (system('swap_total')(window) ?? 0) > 0);
  return [PROCESSOR, MEMORY, ...(hasSwap ? [SWAP] : []), LOAD, PRESSURE, NETWORK, ...diskCharts(windows)];
}
