/** The left column: where one can go, and how everything is. */
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
];

export function Sidebar({ page, themes, setSearch, field, onHelp }: Props) {
  const { place, go, overview, search } = page;
  const firing = overview.alerts.filter(({ state }) => state === 'firing').length;
  const running = overview.canaries.length + overview.rollouts.length;
  const [apps, hosts] = [found(overview.apps, search), found(overview.hosts, search)];
  return (
    <nav class={search === '' ? 'side' : 'side searching'} aria-label="Monitor">
      <Brand />
      <ul class="views">
        {LINKS.map(([view, title]) => (
          <li key={view}>
            <Go to={elsewhere(place, view)} go={go} current={isHere(place.view, view)}>
              {title}
              {view === 'alerts' && firing > 0 && (
                <span class="badge">
                  {count(firing)}
                  <span class="sr"> firing</span>
                </span>
              )}
              {view === 'canaries' && running > 0 && (
                <span class="badge calm">
                  {count(running)}
                  <span class="sr"> running</span>
                </span>
              )}
            </Go>
          </li>
        ))}
      </ul>
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
        {search !== '' && apps.length + hosts.length === 0 && <p class="dim none">Nothing is called that.</p>}
      </div>
      <Foot page={page} themes={themes} onHelp={onHelp} />
    </nav>
  );
}

/** A run or a rollout is part of their list. */
function isHere(shown: View, link: View): boolean {
  return shown === link || (link === 'canaries' && (shown === 'canary' || shown === 'rollout'));
}
