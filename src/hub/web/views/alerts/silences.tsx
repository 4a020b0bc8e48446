/** Silences: of whom and what nobody is told, until when, and why. */
import type { Page } from '../../page.ts';
import { LocalTable } from '../../parts/local-table.tsx';
import { Panel } from '../../parts/panel.tsx';
import { moment } from '../../state/format.ts';

export function Silences({ page }: { readonly page: Page }) {
  return (
    <Panel title="Silenced" note="nobody is told: pipeline monitor silence">
      <LocalTable
        label="Silences"
        rows={page.overview.silences}
        keyOf={({ subject }) => subject}
        columns={[
          { id: 'subject', title: 'About', word: true, cell: ({ subject }) => subject },
          {
            id: 'until',
            title: 'Until',
            word: true,
            by: ({ until }) => until,
            cell: ({ until }) => moment(until, true),
          },
          { id: 'why', title: 'Why', word: true, cell: ({ why }) => why },
          { id: 'by', title: 'By', word: true, minor: true, cell: ({ by }) => by },
        ]}
      />
    </Panel>
  );
}
