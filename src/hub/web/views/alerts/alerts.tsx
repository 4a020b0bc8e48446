/** Alerts: what fires, what may, and what was. */
import type { AlertPage } from '../../../api-types.ts';
import { useLoaded } from '../../hooks/use-loaded.ts';
import { Head } from '../../layout/head.tsx';
import type { Page } from '../../page.ts';
import { AlertList } from '../../parts/alert-list.tsx';
import { Empty } from '../../parts/empty.tsx';
import { More } from '../../parts/more.tsx';
import { Panel } from '../../parts/panel.tsx';
import { AlertHistory } from './history.tsx';
import { Silences } from './silences.tsx';

const LIMIT = 100;

export function AlertsView({ page }: { readonly page: Page }) {
  const { overview, stream, onSignedOut } = page;
  const of = (state: string) => overview.alerts.filter((alert) => alert.state === state);
  const [firing, pending, over] = [of('firing'), of('pending'), of('resolved')];
  const log = useLoaded<AlertPage>(
    'alert-log',
    () => `/api/alert-log?limit=${LIMIT}`,
    `${stream.missed} ${overview.alerts.map(({ key, state }) => `${key} ${state}`).join(',')}`,
    onSignedOut,
  );
  return (
    <>
      <Head
        page={page}
        title="Alerts"
        line="Rules, thresholds and places to tell are alerts: in pipeline.yml"
      />
      <div data-list>
        <Panel title="Firing">
          {firing.length === 0 ? (
            <Empty title="No alert is firing." />
          ) : (
            <AlertList page={page} alerts={firing} />
          )}
        </Panel>
        <Silences page={page} />
        {pending.length > 0 && (
          <Panel title="Pending" note="found, and not yet for as long as the rule wants">
            <AlertList page={page} alerts={pending} />
          </Panel>
        )}
        {over.length > 0 && (
          <Panel title="Over" note="within the last hour">
            <AlertList page={page} alerts={over} />
          </Panel>
        )}
      </div>
      <Panel title="History">
        {log.error !== '' && <p class="notice">{log.error}</p>}
        {log.data !== undefined && (
          <>
            <AlertHistory page={page} notices={log.data.entries} />
            <More
              next={log.data.next}
              path={(next) => `/api/alert-log?limit=${LIMIT}&before=${encodeURIComponent(next)}`}
              add={(more: AlertPage) =>
                log.set(
                  (before) => before && { entries: [...before.entries, ...more.entries], next: more.next },
                )
              }
            />
          </>
        )}
      </Panel>
    </>
  );
}
