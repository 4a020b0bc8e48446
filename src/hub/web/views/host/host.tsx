/** One host: what it does, and what runs on it. */
import { age } from '../../../../format.ts';
import type { HostDetail, OverviewHost } from '../../../api-types.ts';
import { Charts } from '../../charts/charts.tsx';
import { refreshKey, useCharts } from '../../hooks/use-charts.ts';
import { useLoaded } from '../../hooks/use-loaded.ts';
import { Head } from '../../layout/head.tsx';
import type { Page } from '../../page.ts';
import { FiringAlerts } from '../../parts/alert-list.tsx';
import { Empty } from '../../parts/empty.tsx';
import { EventList } from '../../parts/event-list.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Status } from '../../parts/status.tsx';
import { type Tile, Tiles } from '../../parts/tiles.tsx';
import { figure, plural } from '../../state/format.ts';
import { hostRemarks } from '../../state/health.ts';
import { HostTables } from './tables.tsx';

export function HostView({ page }: { readonly page: Page }) {
  const { place, overview, onSignedOut } = page;
  const { name } = place;
  const host = overview.hosts.find((one) => one.name === name);
  const subject = host === undefined ? '' : `${new URLSearchParams({ host: name })}`;
  const charts = useCharts(page, subject);
  const detail = useLoaded<HostDetail>(
    subject,
    () => `/api/host/${encodeURIComponent(name)}`,
    refreshKey(page),
    onSignedOut,
  );
  if (host === undefined)
    return (
      <Empty
        title={`There is no host "${name}".`}
        text="To add a host, run prod up and monitor setup."
        commands={['pipeline monitor setup -i inventory.ini']}
      />
    );
  const remarks = hostRemarks(host);
  return (
    <>
      <Head
        page={page}
        title={name}
        status={<Status health={host.health} />}
        line={[factsLine(detail.data), ...remarks].filter((part) => part !== '').join(' · ')}
        ranges
      />
      <FiringAlerts page={page} kind="host" name={name} />
      <Tiles tiles={tilesOf(host, detail.data)} />
      <Charts page={page} loaded={charts} />
      {detail.error !== '' && <p class="notice">{detail.error}</p>}
      {detail.data !== undefined && <HostTables page={page} detail={detail.data} />}
      <Panel title="Events in this range">
        {charts.data?.events.length === 0 ? (
          <Empty title="Nothing was deployed here in this range." />
        ) : (
          <EventList page={page} events={(charts.data?.events ?? []).toReversed()} />
        )}
      </Panel>
    </>
  );
}

function tilesOf(host: OverviewHost, detail: HostDetail | undefined): readonly Tile[] {
  const failed = detail?.units.filter(({ state }) => state === 'failed').length;
  return [
    { label: 'Processor', value: figure(host.cpu, 'ratio') },
    { label: 'Memory', value: figure(host.memory, 'ratio') },
    { label: 'Fullest disk', value: figure(host.disk, 'ratio') },
    { label: 'Failed units', value: failed === undefined ? '–' : String(failed), bad: (failed ?? 0) > 0 },
    {
      label: 'Heard',
      value: host.silentSeconds === null ? 'never' : `${age(host.silentSeconds * 1000)} ago`,
      bad: host.silentSeconds === null || host.silentSeconds > 20,
    },
  ];
}

function factsLine(detail: HostDetail | undefined): string {
  const facts = detail?.facts;
  if (facts === undefined || facts === null) return '';
  const { cores, memory, uptime, agentVersion, buffered } = facts;
  return [
    cores === null ? '' : plural(cores, 'core'),
    memory === null ? '' : figure(memory, 'bytes'),
    uptime === null ? '' : `up for ${age(uptime * 1000)}`,
    agentVersion === '' ? '' : `agent ${agentVersion}`,
    (buffered ?? 0) < 2 ? '' : `${plural(buffered ?? 0, 'sample')} wait at the agent`,
  ]
    .filter((part) => part !== '')
    .join(' · ');
}
