/** Versions that answered in the range. */
import type { Routes } from '../../../api-types.ts';
import type { Page } from '../../page.ts';
import { figures, requestColumns } from '../../parts/columns.tsx';
import { LocalTable } from '../../parts/local-table.tsx';
import { Panel } from '../../parts/panel.tsx';
import { count, period } from '../../state/format.ts';

interface Props {
  readonly page: Page;
  readonly routes: Routes;
}

type Version = Routes['releases'][number];

export function Versions({ page, routes }: Props) {
  const { place, go, overview } = page;
  const live = overview.apps.find(({ name }) => name === place.name)?.releases ?? [];
  const newest = routes.releases[0];
  return (
    <Panel title="Versions" id="versions" note="that answered in this range">
      <LocalTable<Version>
        label="Versions"
        rows={routes.releases}
        keyOf={({ release }) => release}
        columns={[
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
            ...figures<Version>('requests', 'Requests', 'number', ({ requests }) => requests),
            cell: ({ requests }) => count(requests),
          },
          ...requestColumns<Version>(({ figures: own }) => own),
          {
            id: 'compare',
            title: '',
            minor: true,
            cell: ({ release }) =>
              newest === undefined ||
              release === newest.release ||
              release === '' ||
              newest.release === '' ? (
                ''
              ) : (
                <button
                  type="button"
                  class="link"
                  onClick={() => {
                    go({ ...place, baseline: release, candidate: newest.release });
                    scrollTo({ top: 0 });
                  }}
                >
                  Compare with the newest
                </button>
              ),
          },
        ]}
      />
    </Panel>
  );
}
