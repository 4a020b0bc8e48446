/** Something read from the hub, and read again when a key changes. */
import { useEffect, useState } from 'preact/hooks';
import { get, SignedOut } from '../state/api.ts';

export interface Loaded<T> {
  readonly data: T | undefined;
  /** A sentence; empty if the last read succeeded. */
  readonly error: string;
}

/**
 * @param subject what is read: when it changes, the old answer is forgotten; empty: nothing is read
 * @param pathOf address, made when it is read
 * @param again when it changes, the same is read again, and the old answer stands until then
 */
export function useLoaded<T>(
  subject: string,
  pathOf: () => string,
  again: string | number,
  onSignedOut: () => void,
): Loaded<T> & { readonly set: (change: (before: T | undefined) => T | undefined) => void } {
  const [known, setKnown] = useState<{ subject: string; data: T | undefined; error: string }>();
  useEffect(() => {
    if (subject === '') return;
    const stop = new AbortController();
    get<T>(pathOf(), stop.signal).then(
      (data) => setKnown({ subject, data, error: '' }),
      (error: Error) => {
        if (stop.signal.aborted) return;
        if (error instanceof SignedOut) onSignedOut();
        else
          setKnown((before) => ({
            subject,
            data: before?.subject === subject ? before.data : undefined,
            error: error.message,
          }));
      },
    );
    return () => stop.abort();
  }, [subject, again]);
  const here = known?.subject === subject ? known : undefined;
  return {
    data: here?.data,
    error: here?.error ?? '',
    set: (change) =>
      setKnown((before) => (before?.subject === subject ? { ...before, data: change(before.data) } : before)),
  };
}
