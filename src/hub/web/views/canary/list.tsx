/** Canaries: live ones first, then runs in the lab, those under way before the past. */
import type { CanaryPage, CanaryRun } from '../../../api-types.ts';
import { useLoaded } from '../../hooks/use-loaded.ts';
import { Head } from '../../layout/head.tsx';
import type { Page } from '../../page.ts';
import { Empty } from '../../parts/empty.tsx';
import { Go } from '../../parts/go.tsx';
import { LocalTable } from '../../parts/local-table.tsx';
import { More } from '../../parts/more.tsx';
import { Panel } from '../../parts/panel.tsx';
import { ago, count, moment } from '../../state/format.ts';
import { elsewhere } from '../../state/place.ts';
import { Rollouts } from '../rollout/list.tsx';
import { RunState } from './run-state.tsx';

const LIMIT = 50;

export function CanariesView({ page }: { readonly page: Page }) {
  const { stream, overview, onSignedOut } = page;
  const running = overview.canaries.map(({ id }) => id).join(',');
  const list = useLoaded<CanaryPage>(
    'canaries',
    () => `/api/canaries?limit=${LIMIT}`,
    `${stream.missed} ${running}`,
    onSignedOut,
  );
  const runs = (list.data?.runs ?? []).map((run) => overview.canaries.find(({ id }) => id === run.id) ?? run);
  return (
    <>
      <Head page={page} title="Canaries" line="Two versions, live or in the lab, and a verdict" />
      <Rollouts page={page} />
      {list.error !== '' && <p class="notice">{list.error}</p>}
      {list.data !== undefined && runs.length === 0 && (
        <Empty
          title="No canary has run in the lab yet."
          text="A run on any machine appears here while it runs, when the inventory names this monitor."
          commands={['pipeline canary master my-branch']}
        />
      )}
      {runs.length > 0 && (
        <Panel title="Runs in the lab">
          <div data-list>
            <RunTable page={page} runs={runs} />
          </div>
          <More
            next={list.data?.next ?? null}
            path={(next) => `/api/canaries?limit=${LIMIT}&before=${encodeURIComponent(next)}`}
            add={(more: CanaryPage) =>
              list.set((before) => before && { runs: [...before.runs, ...more.runs], next: more.next })
            }
          />
        </Panel>
      )}
    </>
  );
}

export function RunTable({ page, runs }: { readonly page: Page; readonly runs: readonly CanaryRun[] }) {
  const { place, go, overview } = page;
  return (
    <LocalTable
      label="Canary runs"
      rows={runs}
      keyOf={({ id }) => id}
      columns={[
        {
          id: 'run',
          title: 'Candidate',
          word: true,
          by: ({ candidate }) => candidate.ref,
          cell: ({ id, app, candidate, baseline }) => (
            <>
              <Go to={elsewhere(place, 'canary', id)} go={go} class="strong" item>
                {app}: {candidate.ref}
              </Go>
              <div class="dim remark">against {baseline.ref}</div>
            </>
          ),
        },
        {
          id: 'state',
          title: 'State',
          word: true,
          by: ({ state }) => state,
          cell: (run) => <RunState run={run} />,
        },
        {
          id: 'score',
          title: 'Score',
          by: ({ score }) => score,
          cell: ({ score }) => (score === null ? '–' : Math.round(score)),
        },
        {
          id: 'requests',
          title: 'Requests',
          minor: true,
          by: ({ requests }) => requests.baseline + requests.candidate,
          cell: ({ requests }) => count(requests.baseline + requests.candidate),
        },
        {
          id: 'started',
          title: 'Started',
          by: ({ startedAt }) => startedAt,
          cell: ({ startedAt }) => <time title={ago(overview.at - startedAt)}>{moment(startedAt)}</time>,
        },
        { id: 'by', title: 'By', word: true, minor: true, by: ({ by }) => by, cell: ({ by }) => by || '–' },
      ]}
    />
  );
}
