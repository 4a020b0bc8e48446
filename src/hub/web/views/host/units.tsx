/** systemd units of a host: those that failed first. */
import type { Health, HostDetail } from '../../../api-types.ts';
import { figures, words } from '../../parts/columns.tsx';
import { LocalTable } from '../../parts/local-table.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Shape } from '../../parts/status.tsx';
import { figure, plural } from '../../state/format.ts';

type Unit = HostDetail['units'][number];

/** More restarts than this in a day are highlighted. */
const MANY_RESTARTS = 3;

function unitHealth({ state, restarts }: Unit): Health {
  if (state === 'failed') return 'broken';
  return state === 'active' && restarts < MANY_RESTARTS ? 'well' : 'look';
}

export function Units({ detail: { units } }: { readonly detail: HostDetail }) {
  if (units.length === 0) return null;
  const failed = units.filter(({ state }) => state === 'failed').length;
  return (
    <Panel
      title="Units"
      note={
        failed === 0 ? plural(units.length, 'unit') : `${failed} of ${plural(units.length, 'unit')} failed`
      }
    >
      <LocalTable
        label="Units"
        rows={units}
        keyOf={({ unit }) => unit}
        bad={({ state }) => state === 'failed'}
        columns={[
          words<Unit>('unit', 'Unit', ({ unit }) => unit),
          {
            id: 'state',
            title: 'State',
            word: true,
            by: ({ state }) => state,
            cell: (unit) => (
              <span class={unit.state === 'failed' ? 'worse' : undefined}>
                <Shape health={unitHealth(unit)} /> {unit.state}{' '}
                {unit.sub !== unit.state && <span class="dim minor">{unit.sub}</span>}
              </span>
            ),
          },
          {
            id: 'restarts',
            title: 'Restarts, 24 h',
            by: ({ restarts }) => restarts,
            cell: ({ restarts }) => (
              <span class={restarts >= MANY_RESTARTS ? 'worse' : undefined}>
                {restarts === 0 ? '–' : restarts}
              </span>
            ),
          },
          { id: 'cpu', title: 'Processor', by: ({ cpu }) => cpu, cell: ({ cpu }) => cores(cpu) },
          figures<Unit>('memory', 'Memory', 'bytes', ({ memory }) => memory),
        ]}
      />
    </Panel>
  );
}

function cores(cpu: number | null): string {
  return cpu === null ? '–' : `${figure(cpu, 'ratio')} of a core`.replace('0 % of a core', '0 %');
}
