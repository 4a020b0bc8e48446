/** One rollout, while it goes on and afterwards. */
import { duration } from '../../../../format.ts';
import type { ShownRollout } from '../../../api-types.ts';
import { useLoaded } from '../../hooks/use-loaded.ts';
import { Head } from '../../layout/head.tsx';
import type { Page } from '../../page.ts';
import { Empty } from '../../parts/empty.tsx';
import { Go } from '../../parts/go.tsx';
import { Panel } from '../../parts/panel.tsx';
import { moment } from '../../state/format.ts';
import { elsewhere, type Place } from '../../state/place.ts';
import { sideName } from '../../state/rollout.ts';
import { Phase } from './phase.tsx';
import { RolloutStateView } from './state.tsx';

/** What charts show before it began, ms. */
const BEFORE_MS = 5 * 60_000;

export function RolloutView({ page }: { readonly page: Page }) {
  const { place, overview, stream, onSignedOut } = page;
  const live = overview.rollouts.find(({ id }) => id === place.name);
  const loaded = useLoaded<ShownRollout>(
    place.name,
    () => `/api/rollouts/${encodeURIComponent(place.name)}`,
    // Once more when it has ended: until then the stream tells of it.
    `${live === undefined ? 'ended' : 'goes on'} ${stream.missed}`,
    onSignedOut,
  );
  const rollout = live ?? loaded.data;
  if (rollout === undefined)
    return (
      <>
        <Head page={page} title="Rollout" />
        {loaded.error !== '' && (
          <Empty
            title={loaded.error}
            text="The newest 500 rollouts are kept."
            commands={['pipeline deploy APP REF --canary']}
          />
        )}
      </>
    );
  return (
    <>
      <Head
        page={page}
        title={`${sideName(rollout.candidate)} in place of ${sideName(rollout.baseline)}`}
        status={<Phase phase={rollout.phase} />}
        line={<Line page={page} rollout={rollout} />}
      />
      <Panel title={live === undefined ? 'At its end' : 'So far'}>
        <RolloutStateView page={page} rollout={rollout} />
      </Panel>
      <Panel title="Steps">
        <ul class="events exact">
          {rollout.events.toReversed().map((event) => (
            <li key={`${event.at} ${event.kind}`}>
              <time dateTime={new Date(event.at).toISOString()}>{moment(event.at, true)}</time>
              <span class="kind">{event.kind}</span>
              <span class="event">{event.percent} %</span>
              <span class="message">{event.why}</span>
            </li>
          ))}
        </ul>
      </Panel>
    </>
  );
}

interface LineProps {
  readonly page: Page;
  readonly rollout: ShownRollout;
}

/** Of which application, since when, by whom, and where to go from here. */
function Line({ page: { place, go }, rollout }: LineProps) {
  const { app, host, beganAt, at } = rollout;
  return (
    <>
      <Go to={elsewhere(place, 'app', app)} go={go}>
        {app}
      </Go>
      {` · ${moment(beganAt)} · for ${duration(at - beganAt)} · decided by `}
      <Go to={elsewhere(place, 'host', host)} go={go}>
        {host}
      </Go>
      {' · '}
      <Go to={chartsOf(rollout, place)} go={go}>
        charts of both versions
      </Go>
      {' · '}
      <Go to={logsOf(rollout, place)} go={go}>
        logs
      </Go>
      {' · '}
      <Go to={elsewhere(place, 'canaries')} go={go}>
        all rollouts
      </Go>
    </>
  );
}

/** From its beginning to its end, or to now. */
function logsOf({ app, beganAt, at }: ShownRollout, place: Place): Place {
  return { ...elsewhere(place, 'logs', app), from: beganAt, to: Math.max(at, beganAt + 1000) };
}

function chartsOf({ app, beganAt, at, baseline, candidate, phase }: ShownRollout, place: Place): Place {
  const compared = { baseline: baseline.release, candidate: candidate.release };
  const hasEnded = phase === 'promoted' || phase === 'taken back';
  const range = hasEnded ? { from: beganAt - BEFORE_MS, to: at + BEFORE_MS } : { from: 0, to: 0 };
  return { ...elsewhere(place, 'app', app), ...compared, ...range };
}
