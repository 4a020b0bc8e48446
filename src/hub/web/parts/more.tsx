/** The next page of a long list. */
import { useState } from 'preact/hooks';
import { get } from '../state/api.ts';

interface Props<T> {
  /** Null: there is no more. */
  readonly next: string | null;
  readonly path: (next: string) => string;
  readonly add: (page: T) => void;
}

export function More<T>({ next, path, add }: Props<T>) {
  const [error, setError] = useState('');
  if (next === null) return null;
  return (
    <p class="more">
      <button
        type="button"
        class="quiet"
        onClick={() =>
          get<T>(path(next)).then(
            (page) => {
              setError('');
              add(page);
            },
            (failed: Error) => setError(failed.message),
          )
        }
      >
        Show more
      </button>{' '}
      <span role="status">{error}</span>
    </p>
  );
}
