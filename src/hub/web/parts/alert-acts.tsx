/** What somebody can do about an alert that fires: take it, or silence what it is about. */
import { useState } from 'preact/hooks';
import { age } from '../../../format.ts';
import type { ShownAlert } from '../../api-types.ts';
import { useAct } from '../hooks/use-act.ts';
import type { Page } from '../page.ts';
import { SilenceForm } from './silence-form.tsx';

interface Props {
  readonly page: Page;
  readonly alert: ShownAlert;
}

export function AlertActs({ page, alert }: Props) {
  const { overview, user } = page;
  const { act, error, busy } = useAct(page.onSignedOut);
  const [silencing, setSilencing] = useState(false);
  const { key, subject, rule, taken } = alert;
  const may = user.role === 'admin';
  if (!may && taken === undefined) return null;
  return (
    <div class="acts">
      {taken !== undefined && (
        <span>
          taken by {taken.by}, {age(overview.at - taken.at)} ago
        </span>
      )}
      {may && (
        <>
          <button
            type="button"
            class="act"
            disabled={busy}
            title={taken === undefined ? 'I take care of it: it is not told again while it lasts' : undefined}
            onClick={() => act('/api/taken', { key, end: taken !== undefined })}
          >
            {taken === undefined ? 'Take' : 'Give back'}
          </button>
          <button
            type="button"
            class="act"
            aria-expanded={silencing}
            onClick={() => setSilencing(!silencing)}
          >
            Silence …
          </button>
        </>
      )}
      {error !== '' && (
        <span role="alert" class="error">
          {error}
        </span>
      )}
      {silencing && (
        <SilenceForm page={page} subjects={[subject, rule, 'all']} onClose={() => setSilencing(false)} />
      )}
    </div>
  );
}
