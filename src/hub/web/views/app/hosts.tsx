/** Hosts that served an application in the range. */
import type { Routes } from '../../../api-types.ts';
import type { Page } from '../../page.ts';
import { figures, requestColumns } from '../../parts/columns.tsx';
import { Go } from '../../parts/go.tsx';
import { LocalTable } from '../../parts/local-table.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Status } from '../../parts/status.tsx';
import { elsewhere } from '../../state/place.ts';

interface Props {
  readonly page: Page;
  readonly routes: Routes;
}

export function HostsOfApp({ page, routes }: Props) {
  const { place, go, overview } = page;
  return (
    <Panel title="Hosts" id="hosts" note="that served it in this range">
      <LocalTable<Routes['hosts'][number]>
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
          figures('rate', 'Rate', '1/s', ({ figures: own }) => own.rate),
          ...requestColumns<Routes['hosts'][number]>(({ figures: own }) => own),
        ]}
      />
    </Panel>
  );
}
