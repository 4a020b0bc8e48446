/** Hosts, each in a row. */
import type { OverviewHost } from '../../../api-types.ts';
import type { Page } from '../../page.ts';
import { shares } from '../../parts/columns.tsx';
import { LocalTable } from '../../parts/local-table.tsx';
import { found, hostRemarks } from '../../state/health.ts';
import { subjectColumns } from './columns.tsx';

export function HostTable({ page }: { readonly page: Page }) {
  return (
    <div data-list>
      <LocalTable<OverviewHost>
        label="Hosts"
        rows={found(page.overview.hosts, page.search)}
        keyOf={({ name }) => name}
        columns={[
          ...subjectColumns(page, 'host', 0.5, hostRemarks),
          shares('cpu', 'Processor', ({ cpu }) => cpu),
          shares('memory', 'Memory', ({ memory }) => memory),
          shares('disk', 'Disk', ({ disk }) => disk),
        ]}
      />
    </div>
  );
}
