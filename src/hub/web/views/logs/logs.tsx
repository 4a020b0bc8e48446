/** Logs of an application or a host: read from its hosts at that moment, nothing of it is stored. */
import type { LogPage } from '../../../api-types.ts';
import { rangeKey, rangeQuery, refreshKey } from '../../hooks/use-charts.ts';
import { useLoaded } from '../../hooks/use-loaded.ts';
import { Head } from '../../layout/head.tsx';
import type { Page } from '../../page.ts';
import { Empty } from '../../parts/empty.tsx';
import { plural } from '../../state/format.ts';
import { coveredBy } from '../../state/logs.ts';
import { boundsOf, hostLogs, logsOf } from '../../state/place.ts';
import { LogFilter } from './filter.tsx';
import { Histogram } from './histogram.tsx';
import { Lines } from './lines.tsx';

export function LogsView({ page }: { readonly page: Page }) {
  const { place, overview, onSignedOut } = page;
  const [app] = overview.apps;
  const [host] = overview.hosts;
  const first = app?.name ?? (host === undefined ? '' : hostLogs(host.name));
  const name = place.name || first;
  const isApp = 'app' in logsOf(name);
  const query = questionOf(page, name, isApp);
  const loaded = useLoaded<LogPage>(
    name === '' ? '' : `${query}&${rangeKey(page)}`,
    () => `/api/logs?${query}&${rangeQuery(page)}`,
    refreshKey(page),
    onSignedOut,
  );
  const { data, error } = loaded;
  const range = boundsOf(place, overview.at);
  const [shown] = Object.values(logsOf(name));
  return (
    <>
      <Head
        page={page}
        title="Logs"
        line={`What ${shown} printed, read from its hosts just now; nothing of it is stored here`}
        ranges
      />
      <section class="panel logs" aria-label="Logs" aria-busy={data === undefined && error === ''}>
        <LogFilter page={page} name={name} isApp={isApp} lines={data?.lines ?? []} />
        {error !== '' && <p class="notice">{error}</p>}
        {data?.troubles.map(({ host, why }) => (
          <p class="notice" key={host}>
            Without {host}: {why}.
          </p>
        ))}
        {data === undefined && error === '' && <p class="dim">Asking the hosts.</p>}
        {data !== undefined && data.lines.length === 0 && (
          <Empty title="No such line in this range." text="Choose a longer range, or fewer filters." />
        )}
        {data !== undefined && data.lines.length > 0 && (
          <>
            <Histogram page={page} lines={data.lines} covered={coveredBy(data, range)} />
            <p class="dim count" role="status">
              {plural(data.lines.length, 'line')}, the latest first{moreWords(data)}
            </p>
            <Lines page={page} lines={data.lines} />
          </>
        )}
      </section>
    </>
  );
}

function moreWords({ more, tookTooLong }: LogPage): string {
  if (tookTooLong) return '. Reading took too long: choose a shorter range for older ones.';
  return more ? '. Older ones are not shown: choose a shorter range, or a fixed one.' : '.';
}

function questionOf({ place }: Page, name: string, isApp: boolean): string {
  const { kind, filter, at, release, requests } = place;
  const given = {
    ...logsOf(name),
    ...(isApp && at !== '' ? { host: at } : {}),
    ...(kind === '' ? {} : { level: kind }),
    ...(filter === '' ? {} : { q: filter }),
    ...(release === '' ? {} : { release }),
    ...(requests === '' ? {} : { requests }),
  };
  return `${new URLSearchParams(given)}`;
}
