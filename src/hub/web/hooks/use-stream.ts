/** The page's one live connection. It pauses while the page is hidden and reconnects by itself. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { HubEvent, LivePoint, Overview } from '../../api-types.ts';
import { get, SignedOut } from '../state/api.ts';

export type StreamState = 'connecting' | 'live' | 'again' | 'paused' | 'full';

export interface Stream {
  readonly state: StreamState;
  readonly overview: Overview | undefined;
  /** Grows when something was missed, so that everything shown is read again. */
  readonly missed: number;
  /** @returns a function that stops listening */
  readonly listen: (listener: StreamListener) => () => void;
}

/** What the stream brings besides the overview. */
export interface StreamListener {
  readonly point?: (point: LivePoint) => void;
  /** A deploy, a canary run …: new or changed. */
  readonly event?: (event: HubEvent) => void;
}

/** How long to wait before retrying when the browser gives up (the hub answered with an error). */
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
    source.addEventListener('event', ({ data }) => {
      const event = JSON.parse(data) as HubEvent;
      for (const listener of listeners.current) listener.event?.(event);
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
