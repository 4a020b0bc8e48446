/** Live canaries: those that go on in full, the past ones as a table. */
import type { RolloutPage, ShownRollout } from '../../../api-types.ts';
import { useLoaded } from '../../hooks/use-loaded.ts';
import type { Page } from '../../page.ts';
import { Go } from '../../parts/go.tsx';
import { LocalTable } from '../../parts/local-table.tsx';
import { More } from '../../parts/more.tsx';
import { Panel } from '../../parts/panel.tsx';
import { ago, count, moment } from '../../state/format.ts';
import { elsewhere } from '../../state/place.ts';
import { sideName } from '../../state/rollout.ts';
import { Phase } from './phase.tsx';
import { RolloutStateView } from './state.tsx';

const PATH = '/api/rollouts?limit=50';

export function Rollouts({ page }: { readonly page: Page }) {
  const { place, go, overview, stream, onSignedOut } = page;
  const goingOn = overview.rollouts;
  const ids = goingOn.map(({ id }) => id).join(',');
  const loaded = useLoaded<RolloutPage>('rollouts', () => PATH, `${stream.missed} ${ids}`, onSignedOut);
  const past = (loaded.data?.rollouts ?? []).filter(({ id }) => !goingOn.some((one) => one.id === id));
  return (
    <>
      {goingOn.map((rollout) => (
        <Panel
          key={rollout.id}
          title={`${rollout.app}: ${sideName(rollout.candidate)} is let in`}
          note={
            <>
              <Phase phase={rollout.phase} />{' '}
              <Go to={elsewhere(place, 'rollout', rollout.id)} go={go}>
                its steps
              </Go>
            </>
          }
        >
          <RolloutStateView page={page} rollout={rollout} />
        </Panel>
      ))}
      {loaded.error !== '' && <p class="notice">{loaded.error}</p>}
      {past.length > 0 && (
        <Panel title="Past rollouts">
          <div data-list>
            <PastTable page={page} rollouts={past} />
          </div>
          <More
            next={loaded.data?.next ?? null}
            path={(next) => `${PATH}&before=${encodeURIComponent(next)}`}
            add={(more: RolloutPage) =>
              loaded.set(
                (before) => before && { rollouts: [...before.rollouts, ...more.rollouts], next: more.next },
              )
            }
          />
        </Panel>
      )}
    </>
  );
}

function PastTable({ page, rollouts }: { readonly page: Page; readonly rollouts: readonly ShownRollout[] }) {
  const { place, go, overview } = page;
  return (
    <LocalTable
      label="Past rollouts"
      rows={rollouts}
      keyOf={({ id }) => id}
      columns={[
        {
          id: 'rollout',
          title: 'Candidate',
          word: true,
          by: ({ candidate }) => candidate.ref,
          cell: ({ id, app, candidate, baseline }) => (
            <>
              <Go to={elsewhere(place, 'rollout', id)} go={go} class="strong" item>
                {app}: {sideName(candidate)}
              </Go>
              <div class="dim remark">in place of {sideName(baseline)}</div>
            </>
          ),
        },
        {
          id: 'phase',
          title: 'End',
          word: true,
          by: ({ phase }) => phase,
          cell: ({ phase, events }) => (
            <>
              <Phase phase={phase} />
              <div class="dim remark">{events.at(-1)?.why}</div>
            </>
          ),
        },
        {
          id: 'requests',
          title: 'Its requests',
          minor: true,
          by: ({ candidate }) => candidate.requests,
          cell: ({ candidate }) => count(candidate.requests),
        },
        {
          id: 'began',
          title: 'Began',
          by: ({ beganAt }) => beganAt,
          cell: ({ beganAt }) => <time title={ago(overview.at - beganAt)}>{moment(beganAt)}</time>,
        },
        {
          id: 'host',
          title: 'Host',
          word: true,
          minor: true,
          by: ({ host }) => host,
          cell: ({ host }) => host,
        },
      ]}
    />
  );
}
