/** Applications, each in a row. */
import type { OverviewApp } from '../../../api-types.ts';
import type { Page } from '../../page.ts';
import { figures, words } from '../../parts/columns.tsx';
import { LocalTable } from '../../parts/local-table.tsx';
import { figure, shortName } from '../../state/format.ts';
import { found } from '../../state/health.ts';
import { subjectColumns } from './columns.tsx';

/** Share of errors from which a figure is highlighted. */
const BAD_SHARE = 0.01;

export function AppTable({ page }: { readonly page: Page }) {
  return (
    <div data-list>
      <LocalTable<OverviewApp>
        label="Applications"
        rows={found(page.overview.apps, page.search)}
        keyOf={({ name }) => name}
        columns={[
          ...subjectColumns<OverviewApp>(page, 'app', 0.1),
          figures('rate', 'Rate', '1/s', ({ rate }) => rate),
          {
            id: 'errors',
            title: 'Errors',
            by: ({ errors }) => errors,
            cell: ({ errors }) => (
              <span class={(errors ?? 0) > BAD_SHARE ? 'worse' : undefined}>{figure(errors, 'ratio')}</span>
            ),
          },
          figures('p90', 'p90', 'ms', ({ p90 }) => p90),
          words('releases', 'Version', ({ releases }) => namesOf(releases.map(short)), { minor: true }),
          words('hosts', 'On', ({ hosts }) => namesOf(hosts), { minor: true }),
        ]}
      />
    </div>
  );
}

const short = (release: string) => shortName(undefined, release);
const namesOf = (names: readonly string[]) => names.join(', ') || '–';
