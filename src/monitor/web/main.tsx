/** The dashboard: left what there is, right what was chosen. */
import 'uplot/dist/uPlot.min.css';
import './style.css';
import { render } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Health, History, HostDetail, Overview, Panel, Routes } from '../api-types.ts';
import { get, type Place, placeQuery, post, RANGES, readPlace, SignedOut } from './api.ts';
import { Chart, Spark } from './chart.tsx';
import { figure } from './format.ts';
import { Alerts, Events, HostTables, RoutesTable } from './tables.tsx';

function App() {
  const [signedIn, setSignedIn] = useState<boolean>();
  useEffect(() => {
    get('/api/session').then(
      () => setSignedIn(true),
      () => setSignedIn(false),
    );
  }, []);
  if (signedIn === undefined) return null;
  return signedIn ? (
    <Dashboard onSignedOut={() => setSignedIn(false)} />
  ) : (
    <SignIn onDone={() => setSignedIn(true)} />
  );
}

function SignIn({ onDone }: { readonly onDone: () => void }) {
  const [error, setError] = useState('');
  return (
    <main class="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          post('/api/sign-in', { user: form.get('user'), password: form.get('password') }).then(
            onDone,
            (failed: Error) => setError(failed.message),
          );
        }}
      >
        <h1>Monitor</h1>
        <label>
          User
          <input name="user" autocomplete="username" required autofocus />
        </label>
        <label>
          Password
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <button type="submit">Sign in</button>
        <p role="alert">{error}</p>
      </form>
    </main>
  );
}

function useDark(): boolean {
  const query = matchMedia('(prefers-color-scheme: dark)');
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const listen = () => setDark(query.matches);
    query.addEventListener('change', listen);
    return () => query.removeEventListener('change', listen);
  }, []);
  return dark;
}

function Dashboard({ onSignedOut }: { readonly onSignedOut: () => void }) {
  const [place, setPlace] = useState(() => readPlace(location.search));
  const [overview, setOverview] = useState<Overview>();
  const [history, setHistory] = useState<History>();
  const [routes, setRoutes] = useState<Routes>();
  const [detail, setDetail] = useState<HostDetail>();
  const [trouble, setTrouble] = useState('');
  const dark = useDark();
  const { kind, name, range, baseline, candidate } = place;

  const go = useCallback((change: Partial<Place>) => {
    setPlace((before) => {
      const elsewhere = change.name !== undefined && change.name !== before.name;
      const next = { ...before, ...(elsewhere ? { baseline: '', candidate: '' } : {}), ...change };
      window.history.pushState(null, '', placeQuery(next));
      return next;
    });
  }, []);
  useEffect(() => {
    const back = () => setPlace(readPlace(location.search));
    addEventListener('popstate', back);
    return () => removeEventListener('popstate', back);
  }, []);

  // What is chosen first: the first application, else the first host.
  useEffect(() => {
    if (name !== '' || overview === undefined) return;
    const [app] = overview.apps;
    const [host] = overview.hosts;
    const first =
      app === undefined
        ? { kind: 'host' as const, name: host?.name ?? '' }
        : { kind: 'app' as const, name: app.name };
    const next = { ...place, ...first };
    window.history.replaceState(null, '', placeQuery(next));
    setPlace(next);
  }, [name, overview, place]);

  const load = useCallback(
    async (signal: AbortSignal) => {
      if (name === '') return;
      const to = Date.now();
      const from = to - (RANGES[range] ?? 1800) * 1000;
      const subject = `${new URLSearchParams({ [kind]: name, from: String(from), to: String(to) })}`;
      const compare =
        baseline !== '' && candidate !== '' ? `&${new URLSearchParams({ baseline, candidate })}` : '';
      try {
        const [charts, table, host] = await Promise.all([
          get<History>(`/api/history?${subject}`, signal),
          kind === 'app' ? get<Routes>(`/api/routes?${subject}${compare}`, signal) : undefined,
          kind === 'host' ? get<HostDetail>(`/api/host/${encodeURIComponent(name)}`, signal) : undefined,
        ]);
        setHistory(charts);
        setRoutes(table);
        setDetail(host);
        setTrouble('');
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof SignedOut) onSignedOut();
        else setTrouble((error as Error).message);
      }
    },
    [kind, name, range, baseline, candidate, onSignedOut],
  );
  useEffect(() => {
    const stop = new AbortController();
    void load(stop.signal);
    // Points come by the stream; tables, and ranges too long for points, are read again.
    const timer = setInterval(() => load(stop.signal), (RANGES[range] ?? 0) <= 3600 ? 15_000 : 60_000);
    return () => {
      stop.abort();
      clearInterval(timer);
    };
  }, [load, range]);

  useEffect(() => {
    const source = new EventSource(`/api/stream?${new URLSearchParams(name === '' ? {} : { [kind]: name })}`);
    source.addEventListener('overview', (event) => {
      setOverview(JSON.parse(event.data) as Overview);
      setTrouble('');
    });
    source.addEventListener('point', (event) => {
      if ((RANGES[range] ?? 0) > 3600) return;
      const point = JSON.parse(event.data) as { at: number; panels: readonly Panel[] };
      setHistory((before) => before && append(before, point, RANGES[range] ?? 1800));
    });
    source.addEventListener('missed', () => void load(new AbortController().signal));
    source.onerror = () => {
      setTrouble('The hub does not answer. Trying again…');
      if (source.readyState === EventSource.CLOSED)
        get('/api/session').catch((error) => error instanceof SignedOut && onSignedOut());
    };
    return () => source.close();
  }, [kind, name, range, load, onSignedOut]);

  const hour = overview?.hosts.find((host) => kind === 'host' && host.name === name);
  const app = overview?.apps.find((one) => kind === 'app' && one.name === name);
  return (
    <div class="page">
      <nav aria-label="Hosts and applications">
        <h1>Monitor</h1>
        {(overview?.apps.length ?? 0) > 0 && <h2>Applications</h2>}
        {overview?.apps.map((one) => (
          <Entry
            key={one.name}
            kind="app"
            name={one.name}
            health={one.health}
            chosen={place}
            go={go}
            figure={figure(one.rate, '1/s')}
            spark={one.spark}
          />
        ))}
        <h2>Hosts</h2>
        {overview?.hosts.map((one) => (
          <Entry
            key={one.name}
            kind="host"
            name={one.name}
            health={one.health}
            chosen={place}
            go={go}
            figure={figure(one.cpu, 'ratio')}
            spark={one.spark}
            top={1}
          />
        ))}
        <button
          type="button"
          class="plain"
          onClick={() => post('/api/sign-out', {}).then(onSignedOut, onSignedOut)}
        >
          Sign out
        </button>
      </nav>
      <main>
        <header class="top">
          <div>
            <h2>{name}</h2>
            <p class="dim">{hour === undefined ? (app === undefined ? '' : appLine(app)) : hostLine(hour)}</p>
          </div>
          <fieldset class="ranges" aria-label="Range">
            {Object.keys(RANGES).map((one) => (
              <button type="button" key={one} aria-pressed={one === range} onClick={() => go({ range: one })}>
                {one}
              </button>
            ))}
          </fieldset>
        </header>
        {(trouble !== '' || (overview?.trouble ?? '') !== '') && (
          <p class="trouble" role="status">
            {trouble || `No samples are taken in: ${overview?.trouble}`}
          </p>
        )}
        <Alerts alerts={overview?.alerts ?? []} now={overview?.at ?? 0} />
        <div class="charts">
          {history?.panels.map((panel) => (
            <Chart
              key={`${kind} ${name} ${panel.id}`}
              panel={panel}
              times={history.times}
              marks={history.events}
              dark={dark}
            />
          ))}
        </div>
        {routes !== undefined && kind === 'app' && <RoutesTable routes={routes} place={place} go={go} />}
        {detail !== undefined && kind === 'host' && <HostTables detail={detail} />}
        <Events events={history?.events ?? []} />
      </main>
    </div>
  );
}

interface EntryProps {
  readonly kind: 'host' | 'app';
  readonly name: string;
  readonly health: Health;
  readonly chosen: Place;
  readonly go: (change: Partial<Place>) => void;
  readonly figure: string;
  readonly spark: readonly (number | null)[];
  readonly top?: number;
}

const SAYS: Readonly<Record<Health, string>> = { well: 'well', look: 'worth a look', broken: 'broken' };

function Entry({ kind, name, health, chosen, go, figure: value, spark, top }: EntryProps) {
  const here = chosen.kind === kind && chosen.name === name;
  return (
    <a
      href={placeQuery({ ...chosen, kind, name, baseline: '', candidate: '' })}
      class={`entry ${health}`}
      aria-current={here ? 'page' : undefined}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey) return;
        event.preventDefault();
        go({ kind, name });
      }}
    >
      <span class="dot" title={SAYS[health]} />
      <span class="name">{name}</span>
      <span class="sr">{SAYS[health]}</span>
      <Spark values={spark} {...(top === undefined ? {} : { top })} />
      <span class="value">{value}</span>
    </a>
  );
}

function hostLine(host: Overview['hosts'][number]): string {
  const parts = [
    `processor ${figure(host.cpu, 'ratio')}`,
    `memory ${figure(host.memory, 'ratio')}`,
    `disk ${figure(host.disk, 'ratio')}`,
  ];
  if (host.silentSeconds === null || host.silentSeconds > 15)
    parts.unshift(host.silentSeconds === null ? 'never heard' : `silent for ${host.silentSeconds} s`);
  if (Math.abs(host.clockAhead) > 2)
    parts.push(
      `clock ${Math.abs(host.clockAhead)} s ${host.clockAhead > 0 ? 'ahead' : 'behind'} (corrected)`,
    );
  if (host.refused > 0) parts.push(`${host.refused} samples refused: ${host.refusal}`);
  return parts.join(' · ');
}

function appLine(app: Overview['apps'][number]): string {
  const releases = app.releases.length === 0 ? '' : ` · ${app.releases.join(', ')}`;
  return `${figure(app.rate, '1/s')} · errors ${figure(app.errors, 'ratio')} · p90 ${figure(app.p90, 'ms')} · on ${app.hosts.join(', ')}${releases}`;
}

/** The charts with one point more, and without what is older than the range. */
function append(before: History, point: { at: number; panels: readonly Panel[] }, seconds: number): History {
  const time = point.at / 1000;
  const last = before.times.at(-1) ?? 0;
  if (time <= last) return before;
  const first = before.times.findIndex((at) => at >= time - seconds);
  const from = first < 0 ? 0 : first;
  const panels = before.panels.map((panel) => {
    const fresh = point.panels.find(({ id }) => id === panel.id);
    return {
      ...panel,
      series: panel.series.map(({ name, values }) => {
        const value = fresh?.series.find((one) => one.name === name)?.values.at(-1) ?? null;
        return { name, values: [...values.slice(from), value] };
      }),
    };
  });
  return { ...before, times: [...before.times.slice(from), time], panels };
}

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
