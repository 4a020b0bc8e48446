/** Everything at a glance: what is wrong, applications, hosts. */

import { Head } from '../../layout/head.tsx';
import type { Page } from '../../page.ts';
import { AlertList } from '../../parts/alert-list.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Panel } from '../../parts/panel.tsx';
import { RolloutNote } from '../../parts/rollout-note.tsx';
import { fleetLine, wholeSentence } from '../../state/health.ts';
import { RunTable } from '../canary/list.tsx';
import { AppTable } from './app-table.tsx';
import { HostTable } from './host-table.tsx';

export function OverviewView({ page }: { readonly page: Page }) {
  const { overview } = page;
  const { hosts, apps } = overview;
  const firing = overview.alerts.filter(({ state }) => state === 'firing');
  return (
    <>
      <Head
        page={page}
        title={wholeSentence(overview)}
        {...(hosts.length === 0 ? {} : { line: fleetLine(overview) })}
      />
      {hosts.length === 0 && (
        <Empty
          title="Bring up hosts, and tell the monitor about them:"
          commands={['pipeline prod up', 'pipeline monitor setup -i inventory.ini']}
        />
      )}
      {firing.length > 0 && (
        <section class="panel firing" aria-label="Alerts" data-list>
          <AlertList page={page} alerts={firing} />
        </section>
      )}
      {overview.rollouts.map((rollout) => (
        <RolloutNote key={rollout.id} page={page} rollout={rollout} />
      ))}
      {overview.canaries.length > 0 && (
        <Panel title="Canary runs under way">
          <RunTable page={page} runs={overview.canaries} />
        </Panel>
      )}
      {apps.length > 0 && (
        <Panel title="Applications" note="requests of the last minute">
          <AppTable page={page} />
        </Panel>
      )}
      {hosts.length > 0 && apps.length === 0 && (
        <Panel title="Applications">
          <Empty
            title="No application has answered a request yet."
            text="An application appears here with its first request."
            commands={['pipeline deploy APP -i inventory.ini']}
          />
        </Panel>
      )}
      {hosts.length > 0 && (
        <Panel title="Hosts">
          <HostTable page={page} />
        </Panel>
      )}
    </>
  );
}
