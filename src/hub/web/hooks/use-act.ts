/** Does something on the hub; the stream brings what became of it. */
import { useState } from 'preact/hooks';
import { post, SignedOut } from '../state/api.ts';

export interface Act {
  readonly act: (path: string, body: unknown, onDone?: () => void) => void;
  /** Why the last one failed; empty: it did not. */
  readonly error: string;
  readonly busy: boolean;
}

export function useAct(onSignedOut: () => void): Act {
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const act: Act['act'] = (path, body, onDone) => {
    setBusy(true);
    setError('');
    post(path, body).then(
      () => {
        setBusy(false);
        onDone?.();
      },
      (failed: Error) => {
        setBusy(false);
        if (failed instanceof SignedOut) onSignedOut();
        else setError(failed.message);
      },
    );
  };
  return { act, error, busy };
}
