/**
 * What runs on a host: units, disks, databases, checks, certificates, and what the agent could not measure.
 */

import type { ComponentProps } from 'preact';
import { age } from '../../../../format.ts';
import type { HostDetail } from '../../../api-types.ts';
import type { Page } from '../../page.ts';
import { figures, shares, words } from '../../parts/columns.tsx';
import { LocalTable } from '../../parts/local-table.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Shape } from '../../parts/status.tsx';
import type { Column } from '../../parts/table.tsx';
import { moment } from '../../state/format.ts';
import { Units } from './units.tsx';

/** A certificate that expires sooner is highlighted, ms. */
const SOON_MS = 14 * 86_400_000;

interface Props {
  readonly page: Page;
  readonly detail: HostDetail;
}

type Backup = HostDetail['backups'][number];
type Certificate = HostDetail['certificates'][number];
type RowOf<K extends 'disks' | 'stores' | 'checks'> = HostDetail[K][number];

const share = (part: number | null, whole: number | null) =>
  part === null || whole === null || whole === 0 ? null : part / whole;
const isDown = ({ up }: { readonly up: boolean }) => !up;

/** Whether a database or a check answers, and why not. */
function upColumn<T extends { readonly up: boolean; readonly error: string }>(title: string): Column<T> {
  return {
    id: 'up',
    title,
    word: true,
    by: ({ up }) => Number(up),
    cell: ({ up, error }) => (
      <span class={up ? undefined : 'worse'}>
        <Shape health={up ? 'well' : 'broken'} /> {up ? 'up' : error || 'down'}
      </span>
    ),
  };
}

const DISKS: readonly Column<RowOf<'disks'>>[] = [
  words('mount', 'Mounted at', ({ mount }) => mount),
  words('device', 'Device', ({ device }) => device, { minor: true }),
  shares('space', 'Space in use', ({ used, size }) => share(used, size)),
  figures('free', 'Free', 'bytes', ({ used, size }) => (used === null || size === null ? null : size - used)),
  figures('size', 'Size', 'bytes', ({ size }) => size),
  shares('inodes', 'Inodes', ({ inodes }) => inodes, { minor: true }),
];
const STORES: readonly Column<RowOf<'stores'>>[] = [
  words('store', 'Database', ({ store }) => store),
  words('kind', 'Kind', ({ kind }) => kind, { minor: true }),
  upColumn('State'),
  figures('connections', 'Connections', 'number', ({ connections }) => connections),
  figures('size', 'Size', 'bytes', ({ size }) => size),
];
const CHECKS: readonly Column<RowOf<'checks'>>[] = [
  words('check', 'Check', ({ check }) => check),
  words('target', 'Target', ({ target }) => target, { minor: true }),
  upColumn('Result'),
  figures('duration', 'Duration', 'ms', ({ duration }) => duration),
];

/** How long ago, with what went wrong since. */
function Ago({
  at,
  error,
  now,
}: {
  readonly at: number | null;
  readonly error: string;
  readonly now: number;
}) {
  return (
    <>
      <span class={error === '' ? 'nowrap' : 'nowrap worse'}>
        {at === null ? 'never' : `${age(now - at * 1000)} ago`}
      </span>
      {error !== '' && <span class="why">{error}</span>}
    </>
  );
}

const backupColumns = (now: number): readonly Column<Backup>[] => [
  words('item', 'What', ({ item }) => item),
  {
    id: 'at',
    title: 'Backed up',
    word: true,
    by: ({ at }) => at ?? 0,
    cell: ({ at, error }) => <Ago at={at} error={error} now={now} />,
  },
  figures('size', 'Size', 'bytes', ({ size }) => size, { minor: true }),
  {
    id: 'verified',
    title: 'Restored on trial',
    word: true,
    by: ({ verified }) => verified ?? 0,
    cell: ({ verified, verifyError }) => <Ago at={verified} error={verifyError} now={now} />,
  },
];

export function HostTables({ page, detail }: Props) {
  const { disks, stores, checks, certificates, backups, problems } = detail;
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
      <Part title="Disks" rows={disks} keyOf={({ mount }) => mount} columns={DISKS} />
      <Part title="Databases" rows={stores} keyOf={({ store }) => store} bad={isDown} columns={STORES} />
      <Part title="Checks" rows={checks} keyOf={({ check }) => check} bad={isDown} columns={CHECKS} />
      <Part
        title="Certificates"
        rows={certificates}
        keyOf={({ endpoint }) => endpoint}
        first="expires"
        columns={[
          words<Certificate>('endpoint', 'Presented at', ({ endpoint }) => endpoint),
          {
            id: 'expires',
            title: 'Ends',
            by: ({ expires }) => expires,
            cell: ({ expires }) => <Expiry expires={expires} now={at} />,
          },
        ]}
      />
      <Part
        title="Backups"
        rows={backups}
        keyOf={({ item }) => item}
        bad={({ error, verifyError }) => error !== '' || verifyError !== ''}
        columns={backupColumns(at)}
      />
      {detail.units.length + disks.length + stores.length + checks.length === 0 && (
        <p class="dim">The agent has said nothing about units and disks yet; it does so within a minute.</p>
      )}
    </>
  );
}

/** A table under its title; nothing where it has no rows. */
function Part<T>({
  title,
  ...table
}: { readonly title: string } & Omit<ComponentProps<typeof LocalTable<T>>, 'label'>) {
  if (table.rows.length === 0) return null;
  return (
    <Panel title={title}>
      <LocalTable<T> {...table} label={title} />
    </Panel>
  );
}

function Expiry({ expires, now }: { readonly expires: number | null; readonly now: number }) {
  if (expires === null) return <>–</>;
  const left = expires * 1000 - now;
  return (
    <span class={left < SOON_MS ? 'worse' : undefined}>
      {left < 0 ? `expired ${age(-left)} ago` : `in ${age(left)}`}{' '}
      <span class="dim">{moment(expires * 1000)}</span>
    </span>
  );
}
