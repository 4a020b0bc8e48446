/** Applications, each in a row. */
import type { OverviewApp } from '../../../api-types.ts';
import { Spark } from '../../charts/spark.tsx';
import type { Page } from '../../page.ts';
import { Go } from '../../parts/go.tsx';
import { LocalTable } from '../../parts/local-table.tsx';
import { Shape, Status } from '../../parts/status.tsx';
import type { Column } from '../../parts/table.tsx';
import { figure, shortName } from '../../state/format.ts';
import { found } from '../../state/health.ts';
import { elsewhere } from '../../state/place.ts';

/** Errors from which a figure is marked. */
const BAD_SHARE = 0.01;

export function AppTable({ page }: { readonly page: Page }) {
  const { place, go, overview } = page;
  const columns: readonly Column<OverviewApp>[] = [
    {
      id: 'name',
      title: 'Application',
      word: true,
      by: ({ name }) => name,
      cell: ({ name, health }) => (
        <span class="named">
          <Shape health={health} />
          <Go to={elsewhere(place, 'app', name)} go={go} class="strong" item>
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
      cell: ({ health }) => <Status health={health} />,
    },
    {
      id: 'spark',
      title: 'Last hour',
      minor: true,
      cell: ({ spark, health }) => (
        <span class={health}>
          <Spark values={spark} least={0.1} />
        </span>
      ),
    },
    { id: 'rate', title: 'Rate', by: ({ rate }) => rate, cell: ({ rate }) => figure(rate, '1/s') },
    {
      id: 'errors',
      title: 'Errors',
      by: ({ errors }) => errors,
      cell: ({ errors }) => (
        <span class={(errors ?? 0) > BAD_SHARE ? 'worse' : undefined}>{figure(errors, 'ratio')}</span>
      ),
    },
    { id: 'p90', title: 'p90', by: ({ p90 }) => p90, cell: ({ p90 }) => figure(p90, 'ms') },
    {
      id: 'releases',
      title: 'Version',
      word: true,
      minor: true,
      cell: ({ releases }) => releases.map((release) => shortName(undefined, release)).join(', ') || '–',
    },
    { id: 'hosts', title: 'On', word: true, minor: true, cell: ({ hosts }) => hosts.join(', ') || '–' },
  ];
  return (
    <div data-list>
      <LocalTable
        label="Applications"
        columns={columns}
        rows={found(overview.apps, page.search)}
        keyOf={({ name }) => name}
      />
    </div>
  );
}
