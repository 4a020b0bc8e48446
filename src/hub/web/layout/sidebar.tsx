/** The left column: navigation, and the state of everything. */
import type { RefObject } from 'preact';
import type { Themes } from '../hooks/use-theme.ts';
import type { Page } from '../page.ts';
import { Brand } from '../parts/brand.tsx';
import { Go } from '../parts/go.tsx';
import { count, figure } from '../state/format.ts';
import { found } from '../state/health.ts';
import { elsewhere, type View } from '../state/place.ts';
import { Entry } from './entry.tsx';
import { Foot } from './foot.tsx';

interface Props {
  readonly page: Page;
  readonly themes: Themes;
  readonly setSearch: (text: string) => void;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly onHelp: () => void;
}

const LINKS: readonly (readonly [view: View, title: string])[] = [
  ['overview', 'Overview'],
  ['alerts', 'Alerts'],
  ['events', 'Events'],
  ['canaries', 'Canaries'],
  ['logs', 'Logs'],
];

export function Sidebar({ page, themes, setSearch, field, onHelp }: Props) {
  const { search } = page;
  return (
    <nav class={search === '' ? 'side' : 'side searching'} aria-label="Monitor">
      <Brand />
      <Views page={page} />
      <search>
        <input
          ref={field}
          type="search"
          placeholder="Search"
          aria-label="Search hosts and applications"
          aria-keyshortcuts="/"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
        />
        <kbd>/</kbd>
      </search>
      <Lists page={page} />
      <Foot page={page} themes={themes} onHelp={onHelp} />
    </nav>
  );
}

function Views({ page }: { readonly page: Page }) {
  const { place, go, overview } = page;
  const firing = overview.alerts.filter(({ state }) => state === 'firing').length;
  const running = overview.canaries.length + overview.rollouts.length;
  return (
    <ul class="views">
      {LINKS.map(([view, title]) => (
        <li key={view}>
          <Go to={elsewhere(place, view)} go={go} current={isHere(place.view, view)}>
            {title}
            {view === 'alerts' && <Badge number={firing} of="firing" />}
            {view === 'canaries' && <Badge number={running} of="running" calm />}
          </Go>
        </li>
      ))}
    </ul>
  );
}

interface BadgeProps {
  readonly number: number;
  readonly of: string;
  readonly calm?: boolean;
}

function Badge({ number, of, calm }: BadgeProps) {
  if (number === 0) return null;
  return (
    <span class={calm ? 'badge calm' : 'badge'}>
      {count(number)}
      <span class="sr"> {of}</span>
    </span>
  );
}

function Lists({ page }: { readonly page: Page }) {
  const { overview, search } = page;
  const [apps, hosts] = [found(overview.apps, search), found(overview.hosts, search)];
  return (
    <div class="lists" data-list>
      {apps.length > 0 && <h2>Applications</h2>}
      <ul>
        {apps.map((app) => (
          <Entry
            key={app.name}
            page={page}
            kind="app"
            name={app.name}
            health={app.health}
            figure={figure(app.rate, '1/s').replace(' req', '')}
            spark={app.spark}
            least={0.1}
          />
        ))}
      </ul>
      {hosts.length > 0 && <h2>Hosts</h2>}
      <ul>
        {hosts.map((host) => (
          <Entry
            key={host.name}
            page={page}
            kind="host"
            name={host.name}
            health={host.health}
            figure={figure(host.cpu, 'ratio')}
            spark={host.spark}
            least={0.5}
          />
        ))}
      </ul>
      {search !== '' && apps.length + hosts.length === 0 && <p class="dim none">Nothing matches.</p>}
    </div>
  );
}

/** A run or a rollout is part of their list. */
function isHere(shown: View, link: View): boolean {
  return shown === link || (link === 'canaries' && (shown === 'canary' || shown === 'rollout'));
}
