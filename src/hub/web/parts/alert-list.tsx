/** Alerts in short lines, the worst first. */
import { age } from '../../../format.ts';
import type { ShownAlert } from '../../api-types.ts';
import type { Page } from '../page.ts';
import { elsewhere, hostLogs } from '../state/place.ts';
import { AlertActs } from './alert-acts.tsx';
import { Go } from './go.tsx';
import { LogsLink } from './logs-link.tsx';
import { Shape } from './status.tsx';

export function alertWord({ state, severity }: Pick<ShownAlert, 'state' | 'severity'>): string {
  if (state === 'resolved') return 'over';
  if (state === 'pending') return 'pending';
  return severity === 'critical' ? 'broken' : 'worth a look';
}

export function alertHealth({ state, severity }: Pick<ShownAlert, 'state' | 'severity'>) {
  if (state === 'resolved') return 'well';
  return severity === 'critical' && state === 'firing' ? 'broken' : 'look';
}

interface Props {
  readonly page: Page;
  readonly alerts: readonly ShownAlert[];
}

export function AlertList({ page, alerts }: Props) {
  if (alerts.length === 0) return null;
  const { place, go, overview } = page;
  return (
    <ul class="alerts">
      {alerts.map((alert) => (
        <li key={alert.key} class={alert.state}>
          <Shape health={alertHealth(alert)} />
          <span class="word">{alertWord(alert)}</span>
          <span class="message">
            {alert.kind === 'monitor' ? (
              alert.message
            ) : (
              <Go to={elsewhere(place, alert.kind, alert.subject)} go={go} item>
                {alert.message}
              </Go>
            )}
            {alert.kind !== 'monitor' && (
              <LogsLink
                page={page}
                name={alert.kind === 'host' ? hostLogs(alert.subject) : alert.subject}
                at={alert.since}
              />
            )}
            {alert.state === 'firing' && <AlertActs page={page} alert={alert} />}
          </span>
          <span class="dim">
            {alert.state === 'resolved'
              ? `over for ${age(overview.at - (alert.resolvedAt ?? alert.since))}`
              : `for ${age(overview.at - alert.since)}`}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** The alerts of one host or application, where there are any. */
export function FiringAlerts({
  page,
  kind,
  name,
}: {
  readonly page: Page;
  readonly kind: 'host' | 'app';
  readonly name: string;
}) {
  const alerts = page.overview.alerts.filter((alert) => alert.kind === kind && alert.subject === name);
  if (alerts.length === 0) return null;
  return (
    <section class="panel firing" aria-label="Alerts">
      <AlertList page={page} alerts={alerts} />
    </section>
  );
}
