/** Releases that answered in the range. */
import type { Routes } from '../../../api-types.ts';
import type { Page } from '../../page.ts';
import { figures, requestColumns } from '../../parts/columns.tsx';
import { LocalTable } from '../../parts/local-table.tsx';
import { Panel } from '../../parts/panel.tsx';
import type { Column } from '../../parts/table.tsx';
import { count, period } from '../../state/format.ts';

interface Props {
  readonly page: Page;
  readonly routes: Routes;
}

type Answered = Routes['releases'][number];

export function Releases({ page, routes }: Props) {
  return (
    <Panel title="Versions" id="versions" note="that answered in this range">
      <LocalTable<Answered>
        label="Versions"
        rows={routes.releases}
        keyOf={({ release }) => release}
        columns={columnsOf({ page, routes })}
      />
    </Panel>
  );
}

function columnsOf({ page, routes }: Props): readonly Column<Answered>[] {
  const live = page.overview.apps.find(({ name }) => name === page.place.name)?.releases ?? [];
  return [
    {
      id: 'release',
      title: 'Version',
      word: true,
      by: ({ release }) => release,
      cell: ({ release }) => (
        <>
          {release || 'no release'} {live.includes(release) && <span class="tag">live</span>}
        </>
      ),
    },
    {
      id: 'seen',
      title: 'Answered',
      word: true,
      minor: true,
      by: ({ firstAt }) => firstAt,
      cell: ({ firstAt, lastAt }) => period(firstAt, lastAt),
    },
    {
      ...figures<Answered>('requests', 'Requests', 'number', ({ requests }) => requests),
      cell: ({ requests }) => count(requests),
    },
    ...requestColumns<Answered>(({ figures: own }) => own),
    {
      id: 'compare',
      title: '',
      minor: true,
      cell: ({ release }) => (
        <CompareLink page={page} release={release} newest={routes.releases[0]?.release ?? ''} />
      ),
    },
  ];
}

interface CompareProps {
  readonly page: Page;
  readonly release: string;
  readonly newest: string;
}

function CompareLink({ page, release, newest }: CompareProps) {
  const { place, go } = page;
  if (release === '' || newest === '' || release === newest) return null;
  const compare = () => {
    go({ ...place, baseline: release, candidate: newest });
    scrollTo({ top: 0 });
  };
  return (
    <button type="button" class="link" onClick={compare}>
      Compare with the newest
    </button>
  );
}
