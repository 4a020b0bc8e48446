/** Tables of a host and of an application. Everything is text: names come from requests that anybody can send. */
import type { HostDetail, Mark, RouteFigures, Routes, ShownAlert } from '../api-types.ts';
import type { Place } from './api.ts';
import { ago, figure } from './format.ts';

interface RoutesProps {
  readonly routes: Routes;
  readonly place: Place;
  readonly go: (change: Partial<Place>) => void;
}

export function RoutesTable({ routes, place, go }: RoutesProps) {
  const { baseline, candidate } = place;
  const compared = baseline !== '' && candidate !== '';
  const choice = (side: 'baseline' | 'candidate', label: string) => (
    <label>
      {label}{' '}
      <select
        value={place[side]}
        onChange={(event) => {
          const value = event.currentTarget.value;
          const other = side === 'baseline' ? candidate : baseline;
          const fallback = routes.releases.find(({ release }) => release !== value)?.release ?? value;
          go(
            value === ''
              ? { baseline: '', candidate: '' }
              : { [side]: value, [side === 'baseline' ? 'candidate' : 'baseline']: other || fallback },
          );
        }}
      >
        <option value="">all versions</option>
        {routes.releases.map(({ release }) => (
          <option key={release} value={release}>
            {release === '' ? '(none)' : release}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <section class="panel">
      <header>
        <h3>Routes</h3>
        <span class="choices">
          {choice('baseline', 'compare')} {choice('candidate', 'with')}
        </span>
      </header>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Route</th>
              <th scope="col">Rate</th>
              <th scope="col">Errors</th>
              <th scope="col">p50</th>
              <th scope="col">p90</th>
              <th scope="col">p99</th>
            </tr>
          </thead>
          <tbody>
            {routes.rows.map((row) => (
              <tr key={`${row.method} ${row.route}`}>
                <td class="name">
                  <b>{row.method}</b> {row.route}
                </td>
                <Cells a={compared ? row.baseline : row.all} b={compared ? row.candidate : undefined} />
              </tr>
            ))}
          </tbody>
        </table>
        {routes.rows.length === 0 && <p class="empty">No requests in this range.</p>}
      </div>
    </section>
  );
}

const COLUMNS = [
  ['rate', '1/s'],
  ['errors', 'ratio'],
  ['p50', 'ms'],
  ['p90', 'ms'],
  ['p99', 'ms'],
] as const;

/** One version, or two above each other; what got worse by more than a tenth is marked. */
function Cells({ a, b }: { readonly a: RouteFigures | undefined; readonly b: RouteFigures | undefined }) {
  return (
    <>
      {COLUMNS.map(([key, unit]) => {
        const [one, two] = [a?.[key], b?.[key]];
        const worse =
          key !== 'rate' &&
          typeof one === 'number' &&
          typeof two === 'number' &&
          two > one * 1.1 + (key === 'errors' ? 0.005 : 1);
        return (
          <td key={key} class={key === 'errors' && (two ?? one ?? 0) > 0.01 ? 'bad' : ''}>
            {figure(one, unit)}
            {b !== undefined && <div class={worse ? 'bad' : 'second'}>{figure(two, unit)}</div>}
          </td>
        );
      })}
    </>
  );
}

export function HostTables({ detail }: { readonly detail: HostDetail }) {
  return (
    <>
      {detail.problems.length > 0 && (
        <section class="panel">
          <h3>The agent says</h3>
          {detail.problems.map(({ source, message }) => (
            <p key={source}>
              <b>{source}</b> {message}
            </p>
          ))}
        </section>
      )}
      <Table
        title="Units"
        heads={['Unit', 'State', 'Processor', 'Memory']}
        rows={detail.units.map((one) => ({
          key: one.unit,
          bad: one.state === 'failed',
          cells: [
            one.unit,
            `${one.state} (${one.sub})`,
            figure(one.cpu, 'ratio'),
            figure(one.memory, 'bytes'),
          ],
        }))}
      />
      <Table
        title="Checks"
        heads={['Check', 'Target', 'Result', 'Duration']}
        rows={detail.checks.map((one) => ({
          key: one.check,
          bad: !one.up,
          cells: [one.check, one.target, one.up ? 'up' : one.error, figure(one.duration, 'ms')],
        }))}
      />
      <Table
        title="Databases"
        heads={['Database', 'State', 'Connections', 'Size']}
        rows={detail.stores.map((one) => ({
          key: one.store,
          bad: !one.up,
          cells: [
            `${one.store} (${one.kind})`,
            one.error === '' ? 'up' : one.error,
            figure(one.connections, ''),
            figure(one.size, 'bytes'),
          ],
        }))}
      />
    </>
  );
}

export function Events({ events }: { readonly events: readonly Mark[] }) {
  const rows = events.toReversed().map((one) => ({
    key: one.id,
    bad: one.result === 'failed',
    cells: [new Date(one.at).toLocaleString(), one.kind, one.text, one.by ?? ''],
  }));
  return <Table title="Deploys and canary runs" heads={['When', 'What', '', 'By']} rows={rows} />;
}

export function Alerts({ alerts, now }: { readonly alerts: readonly ShownAlert[]; readonly now: number }) {
  if (alerts.length === 0) return null;
  return (
    <section class="panel alerts" aria-live="polite">
      {alerts.slice(0, 12).map((alert) => (
        <p key={alert.key} class={alert.state === 'resolved' ? 'over' : alert.severity}>
          <b>{alert.state === 'resolved' ? 'over' : alert.severity}</b>
          <span>{alert.message}</span>
          <time>{ago(now - (alert.resolvedAt ?? alert.since))}</time>
        </p>
      ))}
    </section>
  );
}

interface TableProps {
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly {
    readonly key: string;
    readonly bad: boolean;
    readonly cells: readonly string[];
  }[];
}

function Table({ title, heads, rows }: TableProps) {
  if (rows.length === 0) return null;
  return (
    <section class="panel">
      <h3>{title}</h3>
      <div class="scroll">
        <table class="words">
          <thead>
            <tr>
              {heads.map((head) => (
                <th scope="col" key={head}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ key, bad, cells }) => (
              <tr key={key} class={bad ? 'bad' : ''}>
                {cells.map((cell, index) => (
                  <td key={heads[index]}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
