/** One application: what it answers, how fast, in which version, on which hosts. */
import type { HubEvent, RouteFigures, Routes } from '../../../api-types.ts';
import { Charts } from '../../charts/charts.tsx';
import { rangeKey, rangeQuery, refreshKey, useCharts } from '../../hooks/use-charts.ts';
import { useLoaded } from '../../hooks/use-loaded.ts';
import { Head } from '../../layout/head.tsx';
import type { Page } from '../../page.ts';
import { FiringAlerts } from '../../parts/alert-list.tsx';
import { Empty } from '../../parts/empty.tsx';
import { EventList } from '../../parts/event-list.tsx';
import { Panel } from '../../parts/panel.tsx';
import { RolloutNote } from '../../parts/rollout-note.tsx';
import { Status } from '../../parts/status.tsx';
import { type Tile, Tiles } from '../../parts/tiles.tsx';
import { figure } from '../../state/format.ts';
import { appLine } from '../../state/health.ts';
import { Compare } from './compare.tsx';
import { HostsOfApp } from './hosts.tsx';
import { Releases } from './releases.tsx';
import { RouteTable } from './routes.tsx';

export function AppView({ page }: { readonly page: Page }) {
  const { place, overview, onSignedOut } = page;
  const { name, baseline, candidate } = place;
  const app = overview.apps.find((one) => one.name === name);
  const subject = `${new URLSearchParams({ app: name })}`;
  const compared = baseline === '' ? '' : `&${new URLSearchParams({ baseline, candidate })}`;
  const charts = useCharts(page, `${subject}${routeQuery(place.route)}${compared}`);
  const routes = useLoaded<Routes>(
    `${subject}${compared}&${rangeKey(page)}`,
    () => `/api/routes?${subject}${compared}&${rangeQuery(page)}`,
    refreshKey(page),
    onSignedOut,
  );
  const all = routes.data?.all.all;
  const none = all !== undefined && all.requests === 0;
  return (
    <>
      <Head
        page={page}
        title={name}
        status={app === undefined ? undefined : <Status health={app.health} />}
        line={app === undefined ? 'no requests within the last minute' : appLine(app)}
        ranges
      />
      {overview.rollouts
        .filter(({ app: of }) => of === name)
        .map((rollout) => (
          <RolloutNote key={rollout.id} page={page} rollout={rollout} />
        ))}
      <FiringAlerts page={page} kind="app" name={name} />
      {none ? (
        <Empty
          title="No request in this range."
          text="Choose a longer range, or deploy it:"
          commands={[`pipeline deploy ${name} -i inventory.ini`]}
        />
      ) : (
        <Tiles tiles={tilesOf(all)} />
      )}
      {routes.error !== '' && <p class="notice">{routes.error}</p>}
      {routes.data !== undefined && routes.data.releases.length > 0 && (
        <Compare page={page} routes={routes.data} />
      )}
      <RouteNote page={page} />
      {!none && <Charts page={page} loaded={charts} />}
      {routes.data !== undefined && !none && (
        <>
          <RouteTable page={page} routes={routes.data} />
          <Releases page={page} routes={routes.data} />
          <HostsOfApp page={page} routes={routes.data} />
        </>
      )}
      <Changes page={page} events={charts.data?.events} />
    </>
  );
}

interface ChangesProps {
  readonly page: Page;
  /** Absent: not known yet. */
  readonly events: readonly HubEvent[] | undefined;
}

function Changes({ page, events }: ChangesProps) {
  return (
    <Panel title="Deploys and canaries in this range">
      {events?.length === 0 ? (
        <Empty
          title="Nothing was deployed in this range."
          commands={[`pipeline releases ${page.place.name}`]}
        />
      ) : (
        <EventList page={page} events={(events ?? []).toReversed()} />
      )}
    </Panel>
  );
}

function tilesOf(all: RouteFigures | undefined): readonly Tile[] {
  return [
    { label: 'Rate', value: figure(all?.rate, '1/s') },
    { label: 'Errors (5xx)', value: figure(all?.errors, 'ratio'), bad: (all?.errors ?? 0) > 0.01 },
    { label: 'Rejected (4xx)', value: figure(all?.rejected, 'ratio') },
    { label: 'p50', value: figure(all?.p50, 'ms') },
    { label: 'p90', value: figure(all?.p90, 'ms') },
    { label: 'p99', value: figure(all?.p99, 'ms') },
    { label: 'Mean size', value: figure(all?.size, 'bytes') },
  ];
}

/** Says that the charts show one route only. */
function RouteNote({ page }: { readonly page: Page }) {
  const { place, go } = page;
  if (place.route === '') return null;
  return (
    <p class="offer">
      Charts of <b>{place.route}</b> alone.{' '}
      <button type="button" class="link" onClick={() => go({ ...place, route: '' })}>
        Show all routes
      </button>
    </p>
  );
}

/** The part of a subject that chooses one route; empty: all of them. */
function routeQuery(route: string): string {
  if (route === '') return '';
  const [method = ''] = route.split(' ', 1);
  return `&${new URLSearchParams({ method, route: route.slice(method.length + 1) })}`;
}
