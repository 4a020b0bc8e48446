/** Hosts that served an application in the range. */
import type { Routes } from '../../../api-types.ts';
import type { Page } from '../../page.ts';
import { Go } from '../../parts/go.tsx';
import { LocalTable } from '../../parts/local-table.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Status } from '../../parts/status.tsx';
import { figure } from '../../state/format.ts';
import { elsewhere } from '../../state/place.ts';

interface Props {
  readonly page: Page;
  readonly routes: Routes;
}

export function HostsOfApp({ page, routes }: Props) {
  const { place, go, overview } = page;
  return (
    <Panel title="Hosts" id="hosts" note="that served it in this range">
      <LocalTable
        label="Hosts"
        rows={routes.hosts}
        keyOf={({ host }) => host}
        columns={[
          {
            id: 'host',
            title: 'Host',
            word: true,
            by: ({ host }) => host,
            cell: ({ host }) => (
              <Go to={elsewhere(place, 'host', host)} go={go} class="strong">
                {host}
              </Go>
            ),
          },
          {
            id: 'health',
            title: 'State',
            word: true,
            cell: ({ host }) => {
              const health = overview.hosts.find(({ name }) => name === host)?.health;
              return health === undefined ? '–' : <Status health={health} />;
            },
          },
          {
            id: 'rate',
            title: 'Rate',
            by: ({ figures }) => figures.rate,
            cell: ({ figures }) => figure(figures.rate, '1/s'),
          },
          {
            id: 'errors',
            title: 'Errors',
            by: ({ figures }) => figures.errors,
            cell: ({ figures }) => figure(figures.errors, 'ratio'),
          },
          {
            id: 'p50',
            title: 'p50',
            minor: true,
            by: ({ figures }) => figures.p50,
            cell: ({ figures }) => figure(figures.p50, 'ms'),
          },
          {
            id: 'p90',
            title: 'p90',
            by: ({ figures }) => figures.p90,
            cell: ({ figures }) => figure(figures.p90, 'ms'),
          },
          {
            id: 'p99',
            title: 'p99',
            minor: true,
            by: ({ figures }) => figures.p99,
            cell: ({ figures }) => figure(figures.p99, 'ms'),
          },
        ]}
      />
    </Panel>
  );
}
