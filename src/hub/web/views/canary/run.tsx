/** One canary run, while it runs and afterwards. */
import { duration } from '../../../../format.ts';
import type { CanaryDetail, CanarySide } from '../../../api-types.ts';
import { Chart } from '../../charts/chart.tsx';
import { useLoaded } from '../../hooks/use-loaded.ts';
import { Head } from '../../layout/head.tsx';
import type { Page } from '../../page.ts';
import { Empty } from '../../parts/empty.tsx';
import { Go } from '../../parts/go.tsx';
import { Panel } from '../../parts/panel.tsx';
import { type Tile, Tiles } from '../../parts/tiles.tsx';
import { count, moment, shortName } from '../../state/format.ts';
import { elsewhere } from '../../state/place.ts';
import { CanaryMetrics } from './metrics.tsx';
import { RunState } from './run-state.tsx';

export function CanaryView({ page }: { readonly page: Page }) {
  const { place, go, overview, stream, onSignedOut, dark } = page;
  const running = overview.canaries.some(({ id }) => id === place.name);
  const loaded = useLoaded<CanaryDetail>(
    place.name,
    () => `/api/canaries/${encodeURIComponent(place.name)}`,
    // With every overview while it runs, and once more at the end.
    running ? overview.at : `ended ${stream.missed}`,
    onSignedOut,
  );
  const run = loaded.data;
  if (run === undefined) return <Missing page={page} error={loaded.error} />;
  const { app, baseline, candidate, by, startedAt } = run;
  return (
    <>
      <Head
        page={page}
        title={`${candidate.ref} against ${baseline.ref}`}
        status={<RunState run={run} />}
        line={
          <>
            <Go to={elsewhere(place, 'app', app)} go={go}>
              {app}
            </Go>
            {` · ${moment(startedAt)}${by === '' ? '' : ` · by ${by}`} · judge ${run.judge} · `}
            <Go to={elsewhere(place, 'canaries')} go={go}>
              all runs
            </Go>
          </>
        }
      />
      <Tiles tiles={tilesOf(run, overview.at)} />
      <Verdict run={run} />
      <CanaryMetrics metrics={run.metrics} />
      {run.panels.length > 0 && (
        <section class="charts" aria-label="Charts of the run">
          {run.panels.map((panel) => (
            <Chart
              key={panel.id}
              panel={panel}
              times={run.times.map((seconds) => startedAt / 1000 + seconds)}
              events={[]}
              dark={dark}
            />
          ))}
        </section>
      )}
    </>
  );
}

/** Shown while it loads, and if it cannot be loaded. */
function Missing({ page, error }: { readonly page: Page; readonly error: string }) {
  return (
    <>
      <Head page={page} title="Canary run" />
      {error !== '' && (
        <Empty
          title={error}
          text="The newest 200 runs are kept."
          commands={['pipeline canary BASELINE CANDIDATE']}
        />
      )}
    </>
  );
}

function tilesOf({ score, state, requests, ...run }: CanaryDetail, now: number): readonly Tile[] {
  const took = (run.endedAt ?? now) - run.startedAt;
  return [
    {
      label: 'Score of 100',
      value: score === null ? '–' : String(Math.round(score)),
      bad: state === 'failed',
    },
    {
      label: 'Traffic',
      value: `${duration(run.seconds * 1000)} of ${duration(run.atMostSeconds * 1000)}`,
    },
    { label: 'Requests, baseline', value: count(requests.baseline) },
    { label: 'Requests, candidate', value: count(requests.candidate) },
    { label: 'Took', value: duration(took) },
  ];
}

function Verdict({ run }: { readonly run: CanaryDetail }) {
  return (
    <Panel title={run.state === 'running' ? 'So far' : 'Verdict'}>
      {run.reason !== '' && <p class="sentence">{run.reason}</p>}
      {run.decidedBy.length > 0 && <p>Decided by {run.decidedBy.join(', ')}.</p>}
      {run.notes.map((note) => (
        <p key={note} class="dim">
          {note}
        </p>
      ))}
      <dl class="sides">
        <Side title="Baseline" side={run.baseline} />
        <Side title="Candidate" side={run.candidate} />
      </dl>
    </Panel>
  );
}

function Side({ title, side }: { readonly title: string; readonly side: CanarySide }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>
        {side.ref} <code>{shortName(side.commit, undefined)}</code> <span class="dim">{side.subject}</span>
      </dd>
    </div>
  );
}
