/** The one live connection of the page. It rests while the page is hidden, and comes back by itself. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { LivePoint, Mark, Overview } from '../../api-types.ts';
import { get, SignedOut } from '../state/api.ts';

export type StreamState = 'connecting' | 'live' | 'again' | 'paused' | 'full';

export interface Stream {
  readonly state: StreamState;
  readonly overview: Overview | undefined;
  /** Grows when something was missed: whatever is shown is read again. */
  readonly missed: number;
  /** @returns ends the listening */
  readonly listen: (listener: StreamListener) => () => void;
}

/** What comes by the stream besides the overview. */
export interface StreamListener {
  readonly point?: (point: LivePoint) => void;
  /** A deploy, a canary run …: new or changed. */
  readonly mark?: (mark: Mark) => void;
}

/** Where the browser gives up (the hub answered with an error), it is tried again after this. */
const RETRY_MS = 3000;

/** @param subject query of the host or application whose points are wanted, e.g. `host=web`; empty: none */
export function useStream(subject: string, onSignedOut: () => void): Stream {
  const [state, setState] = useState<StreamState>('connecting');
  const [overview, setOverview] = useState<Overview>();
  const [missed, setMissed] = useState(0);
  const [visible, setVisible] = useState(() => !document.hidden);
  const [attempt, setAttempt] = useState(0);
  const listeners = useRef(new Set<StreamListener>());

  useEffect(() => {
    const listen = () => setVisible(!document.hidden);
    document.addEventListener('visibilitychange', listen);
    return () => document.removeEventListener('visibilitychange', listen);
  }, []);

  useEffect(() => {
    if (!visible) {
      setState('paused');
      return;
    }
    let broken = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const source = new EventSource(subject === '' ? '/api/stream' : `/api/stream?${subject}`);
    source.addEventListener('overview', (event) => {
      setOverview(JSON.parse(event.data) as Overview);
      setState((before) => {
        if (broken || before === 'paused') setMissed((times) => times + 1);
        broken = false;
        return 'live';
      });
    });
    source.addEventListener('point', (event) => {
      const point = JSON.parse(event.data) as LivePoint;
      for (const listener of listeners.current) listener.point?.(point);
    });
    source.addEventListener('mark', (event) => {
      const mark = JSON.parse(event.data) as Mark;
      for (const listener of listeners.current) listener.mark?.(mark);
    });
    source.addEventListener('full', () => {
      source.close();
      setState('full');
      timer = setTimeout(() => setAttempt((times) => times + 1), 10 * RETRY_MS);
    });
    source.onerror = () => {
      broken = true;
      setState('again');
      if (source.readyState !== EventSource.CLOSED) return;
      get('/api/session').catch((error) => {
        if (error instanceof SignedOut) onSignedOut();
      });
      timer = setTimeout(() => setAttempt((times) => times + 1), RETRY_MS);
    };
    return () => {
      clearTimeout(timer);
      source.close();
    };
  }, [subject, visible, attempt, onSignedOut]);

  const listen = useCallback((listener: StreamListener) => {
    listeners.current.add(listener);
    return () => listeners.current.delete(listener);
  }, []);
  return { state, overview, missed, listen };
}
