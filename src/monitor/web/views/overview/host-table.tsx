/** Hosts, each in a row. */
import type { OverviewHost } from '../../../api-types.ts';
import { Spark } from '../../charts/spark.tsx';
import type { Page } from '../../page.ts';
import { Go } from '../../parts/go.tsx';
import { LocalTable } from '../../parts/local-table.tsx';
import { Meter } from '../../parts/meter.tsx';
import { Shape, Status } from '../../parts/status.tsx';
import type { Column } from '../../parts/table.tsx';
import { found, hostRemarks } from '../../state/health.ts';
import { elsewhere } from '../../state/place.ts';

export function HostTable({ page }: { readonly page: Page }) {
  const { place, go, overview } = page;
  const columns: readonly Column<OverviewHost>[] = [
    {
      id: 'name',
      title: 'Host',
      word: true,
      by: ({ name }) => name,
      cell: ({ name, health }) => (
        <span class="named">
          <Shape health={health} />
          <Go to={elsewhere(place, 'host', name)} go={go} class="strong" item>
            {name}
          </Go>
        </span>
      ),
    },
    {
      id: 'health',
      title: 'State',
      word: true,
      minor: true,
      by: ({ health }) => health,
      cell: (host) => (
        <>
          <Status health={host.health} />
          {hostRemarks(host).map((remark) => (
            <div key={remark} class="dim remark">
              {remark}
            </div>
          ))}
        </>
      ),
    },
    {
      id: 'spark',
      title: 'Last hour',
      minor: true,
      cell: ({ spark, health }) => (
        <span class={health}>
          <Spark values={spark} least={0.5} />
        </span>
      ),
    },
    { id: 'cpu', title: 'Processor', by: ({ cpu }) => cpu, cell: ({ cpu }) => <Meter share={cpu} /> },
    {
      id: 'memory',
      title: 'Memory',
      by: ({ memory }) => memory,
      cell: ({ memory }) => <Meter share={memory} />,
    },
    { id: 'disk', title: 'Disk', by: ({ disk }) => disk, cell: ({ disk }) => <Meter share={disk} /> },
  ];
  return (
    <div data-list>
      <LocalTable
        label="Hosts"
        columns={columns}
        rows={found(overview.hosts, page.search)}
        keyOf={({ name }) => name}
      />
    </div>
  );
}
