/** Silences: of whom and what nobody is told, until when, and why. */
import { useState } from 'preact/hooks';
import type { ShownSilence } from '../../../api-types.ts';
import { useAct } from '../../hooks/use-act.ts';
import type { Page } from '../../page.ts';
import { LocalTable } from '../../parts/local-table.tsx';
import { Panel } from '../../parts/panel.tsx';
import { SilenceForm } from '../../parts/silence-form.tsx';
import { moment } from '../../state/format.ts';

export function Silences({ page }: { readonly page: Page }) {
  const { overview, user } = page;
  const [open, setOpen] = useState(false);
  const may = user.role === 'admin';
  if (overview.silences.length === 0 && !may) return null;
  const names = [overview.hosts, overview.apps].flatMap((some) => some.map(({ name }) => name));
  return (
    <Panel
      title="Silenced"
      note={
        may && !open ? (
          <button type="button" class="act" onClick={() => setOpen(true)}>
            Silence …
          </button>
        ) : undefined
      }
    >
      {open && (
        <SilenceForm
          page={page}
          subjects={[...names, ...overview.rules, 'all']}
          onClose={() => setOpen(false)}
        />
      )}
      {overview.silences.length === 0 ? (
        <p class="dim">Nothing is silenced: all that fires is told.</p>
      ) : (
        <SilenceTable page={page} />
      )}
    </Panel>
  );
}

function SilenceTable({ page }: { readonly page: Page }) {
  const { overview, user } = page;
  return (
    <LocalTable
      label="Silences"
      rows={overview.silences}
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
        {
          id: 'why',
          title: 'Why',
          word: true,
          cell: ({ why, automatic }) => (automatic === true ? `after a deploy: ${why}` : why),
        },
        { id: 'by', title: 'By', word: true, minor: true, cell: ({ by }) => by },
        ...(user.role === 'admin'
          ? [
              {
                id: 'end',
                title: '',
                word: true,
                cell: (silence: ShownSilence) => <End page={page} silence={silence} />,
              } as const,
            ]
          : []),
      ]}
    />
  );
}

function End({ page, silence: { subject } }: { readonly page: Page; readonly silence: ShownSilence }) {
  const { act, error, busy } = useAct(page.onSignedOut);
  return (
    <>
      <button
        type="button"
        class="act"
        disabled={busy}
        aria-label={`End the silence of ${subject}`}
        onClick={() => act('/api/silences/end', { subject })}
      >
        End
      </button>
      {error !== '' && <span class="error"> {error}</span>}
    </>
  );
}
