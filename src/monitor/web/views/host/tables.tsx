/** What runs on a host: units, disks, databases, checks, certificates, and what the agent could not measure. */
import type { HostDetail } from '../../../api-types.ts';
import type { Page } from '../../page.ts';
import { LocalTable } from '../../parts/local-table.tsx';
import { Meter } from '../../parts/meter.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Shape } from '../../parts/status.tsx';
import { figure, moment, plural, span } from '../../state/format.ts';
import { Units } from './units.tsx';

/** A certificate that ends sooner is marked, ms. */
const SOON_MS = 14 * 86_400_000;

interface Props {
  readonly page: Page;
  readonly detail: HostDetail;
}

const share = (part: number | null, whole: number | null) =>
  part === null || whole === null || whole === 0 ? null : part / whole;

const upCell = (up: boolean, error: string) => (
  <span class={up ? undefined : 'worse'}>
    <Shape health={up ? 'well' : 'broken'} /> {up ? 'up' : error || 'down'}
  </span>
);

export function HostTables({ page, detail }: Props) {
  const { disks, stores, checks, certificates, problems } = detail;
  const { at } = page.overview;
  return (
    <>
      {problems.length > 0 && (
        <Panel title="What the agent could not measure">
          <ul class="lines">
            {problems.map(({ source, message }) => (
              <li key={`${source} ${message}`}>
                <b>{source}</b> {message}
              </li>
            ))}
          </ul>
        </Panel>
      )}
      <Units detail={detail} />
      {disks.length > 0 && (
        <Panel title="Disks">
          <LocalTable
            label="Disks"
            rows={disks}
            keyOf={({ mount }) => mount}
            columns={[
              {
                id: 'mount',
                title: 'Mounted at',
                word: true,
                by: ({ mount }) => mount,
                cell: ({ mount }) => mount,
              },
              { id: 'device', title: 'Device', word: true, minor: true, cell: ({ device }) => device },
              {
                id: 'space',
                title: 'Space in use',
                by: ({ used, size }) => share(used, size),
                cell: ({ used, size }) => <Meter share={share(used, size)} />,
              },
              {
                id: 'free',
                title: 'Free',
                by: ({ used, size }) => (used === null || size === null ? null : size - used),
                cell: ({ used, size }) =>
                  figure(used === null || size === null ? null : size - used, 'bytes'),
              },
              {
                id: 'size',
                title: 'Size',
                by: ({ size }) => size,
                cell: ({ size }) => figure(size, 'bytes'),
              },
              {
                id: 'inodes',
                title: 'Inodes',
                minor: true,
                by: ({ inodes }) => inodes,
                cell: ({ inodes }) => <Meter share={inodes} />,
              },
            ]}
          />
        </Panel>
      )}
      {stores.length > 0 && (
        <Panel title="Databases">
          <LocalTable
            label="Databases"
            rows={stores}
            keyOf={({ store }) => store}
            bad={({ up }) => !up}
            columns={[
              {
                id: 'store',
                title: 'Database',
                word: true,
                by: ({ store }) => store,
                cell: ({ store }) => store,
              },
              {
                id: 'kind',
                title: 'Kind',
                word: true,
                minor: true,
                by: ({ kind }) => kind,
                cell: ({ kind }) => kind,
              },
              {
                id: 'up',
                title: 'State',
                word: true,
                by: ({ up }) => Number(up),
                cell: ({ up, error }) => upCell(up, error),
              },
              {
                id: 'connections',
                title: 'Connections',
                by: ({ connections }) => connections,
                cell: ({ connections }) => figure(connections, 'number'),
              },
              {
                id: 'size',
                title: 'Size',
                by: ({ size }) => size,
                cell: ({ size }) => figure(size, 'bytes'),
              },
            ]}
          />
        </Panel>
      )}
      {checks.length > 0 && (
        <Panel title="Checks">
          <LocalTable
            label="Checks"
            rows={checks}
            keyOf={({ check }) => check}
            bad={({ up }) => !up}
            columns={[
              {
                id: 'check',
                title: 'Check',
                word: true,
                by: ({ check }) => check,
                cell: ({ check }) => check,
              },
              { id: 'target', title: 'Target', word: true, minor: true, cell: ({ target }) => target },
              {
                id: 'up',
                title: 'Result',
                word: true,
                by: ({ up }) => Number(up),
                cell: ({ up, error }) => upCell(up, error),
              },
              {
                id: 'duration',
                title: 'Duration',
                by: ({ duration }) => duration,
                cell: ({ duration }) => figure(duration, 'ms'),
              },
            ]}
          />
        </Panel>
      )}
      {certificates.length > 0 && (
        <Panel title="Certificates">
          <LocalTable
            label="Certificates"
            rows={certificates}
            keyOf={({ endpoint }) => endpoint}
            first="expires"
            columns={[
              {
                id: 'endpoint',
                title: 'Presented at',
                word: true,
                by: ({ endpoint }) => endpoint,
                cell: ({ endpoint }) => endpoint,
              },
              {
                id: 'expires',
                title: 'Ends',
                by: ({ expires }) => expires,
                cell: ({ expires }) => <Expiry expires={expires} now={at} />,
              },
            ]}
          />
        </Panel>
      )}
      {detail.units.length + disks.length + stores.length + checks.length === 0 && (
        <p class="dim">The agent has said nothing about units and disks yet; it does so within a minute.</p>
      )}
      <p class="sr">{plural(detail.units.length, 'unit')}</p>
    </>
  );
}

function Expiry({ expires, now }: { readonly expires: number | null; readonly now: number }) {
  if (expires === null) return <>–</>;
  const left = expires * 1000 - now;
  return (
    <span class={left < SOON_MS ? 'worse' : undefined}>
      {left < 0 ? `expired ${span(-left)} ago` : `in ${span(left)}`}{' '}
      <span class="dim">{moment(expires * 1000)}</span>
    </span>
  );
}
