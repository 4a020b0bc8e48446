/** Silences something for a while: about what, for how long, and why. */
import { useState } from 'preact/hooks';
import { useAct } from '../hooks/use-act.ts';
import type { Page } from '../page.ts';

const HOUR = 3_600_000;
const TIMES: readonly (readonly [ms: number, title: string])[] = [
  [HOUR, '1 hour'],
  [4 * HOUR, '4 hours'],
  [24 * HOUR, '1 day'],
  [7 * 24 * HOUR, '7 days'],
  [30 * 24 * HOUR, '30 days'],
];

interface Props {
  readonly page: Page;
  /** What may be chosen, the likeliest first. */
  readonly subjects: readonly string[];
  readonly onClose: () => void;
}

export function SilenceForm({ page, subjects, onClose }: Props) {
  const { act, error, busy } = useAct(page.onSignedOut);
  const [subject, setSubject] = useState(subjects[0] ?? '');
  return (
    <form
      class="silence"
      aria-label="Silence"
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        const [ms, why] = [Number(form.get('ms')), String(form.get('why'))];
        act('/api/silences', { subject, ms, why }, onClose);
      }}
    >
      <label>
        About
        <select value={subject} onChange={(event) => setSubject(event.currentTarget.value)}>
          {subjects.map((one) => (
            <option key={one} value={one}>
              {one === 'all' ? 'everything' : one}
            </option>
          ))}
        </select>
      </label>
      <label>
        For
        <select name="ms">
          {TIMES.map(([ms, title]) => (
            <option key={ms} value={ms}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <label class="why">
        Why
        <input name="why" required maxLength={200} placeholder="for the others" autocomplete="off" />
      </label>
      <button type="submit" class="act" disabled={busy}>
        Silence
      </button>
      <button type="button" class="act" onClick={onClose}>
        Cancel
      </button>
      {error !== '' && (
        <p role="alert" class="error">
          {error}
        </p>
      )}
    </form>
  );
}
