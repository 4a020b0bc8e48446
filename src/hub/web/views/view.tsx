/** Which view is shown. */
import type { Page } from '../page.ts';
import { AlertsView } from './alerts/alerts.tsx';
import { AppView } from './app/app.tsx';
import { CanariesView } from './canary/list.tsx';
import { CanaryView } from './canary/run.tsx';
import { EventsView } from './events/events.tsx';
import { HostView } from './host/host.tsx';
import { LogsView } from './logs/logs.tsx';
import { OverviewView } from './overview/overview.tsx';
import { RolloutView } from './rollout/rollout.tsx';

export function View({ page }: { readonly page: Page }) {
  const { view, name } = page.place;
  switch (view) {
    case 'host':
      return <HostView key={name} page={page} />;
    case 'app':
      return <AppView key={name} page={page} />;
    case 'alerts':
      return <AlertsView page={page} />;
    case 'events':
      return <EventsView page={page} />;
    case 'logs':
      return <LogsView page={page} />;
    case 'canaries':
      return <CanariesView page={page} />;
    case 'canary':
      return <CanaryView key={name} page={page} />;
    case 'rollout':
      return <RolloutView key={name} page={page} />;
    case 'overview':
      return <OverviewView page={page} />;
  }
}
