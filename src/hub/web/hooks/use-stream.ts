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
  const [attempt, setAttempt] = useState(0);
  const visible = useVisible();
  const listeners = useRef(new Set<StreamListener>());

  useEffect(() => {
    if (!visible) {
      setState('paused');
      return;
    }
    let broken = false;
    return openStream(subject, {
      overview: (now) => {
        setOverview(now);
        setState((before) => {
          if (broken || before === 'paused') setMissed((times) => times + 1);
          broken = false;
          return 'live';
        });
      },
      point: (point) => {
        for (const listener of listeners.current) listener.point?.(point);
      },
      event: (event) => {
        for (const listener of listeners.current) listener.event?.(event);
      },
      full: () => setState('full'),
      lost: () => {
        broken = true;
        setState('again');
      },
      retry: () => setAttempt((times) => times + 1),
      signedOut: onSignedOut,
    });
  }, [subject, visible, attempt, onSignedOut]);

  const listen = useCallback((listener: StreamListener) => {
    listeners.current.add(listener);
    return () => listeners.current.delete(listener);
  }, []);
  return { state, overview, missed, listen };
}

interface Received {
  readonly overview: (overview: Overview) => void;
  readonly point: (point: LivePoint) => void;
  readonly event: (event: HubEvent) => void;
  /** The hub has as many streams as it serves. */
  readonly full: () => void;
  readonly lost: () => void;
  /** It is time to open the stream anew: the browser has given this one up. */
  readonly retry: () => void;
  readonly signedOut: () => void;
}

/** @returns a function that closes it */
function openStream(subject: string, received: Received): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const source = new EventSource(subject === '' ? '/api/stream' : `/api/stream?${subject}`);
  source.addEventListener('overview', ({ data }) => received.overview(JSON.parse(data) as Overview));
  source.addEventListener('point', ({ data }) => received.point(JSON.parse(data) as LivePoint));
  source.addEventListener('event', ({ data }) => received.event(JSON.parse(data) as HubEvent));
  source.addEventListener('full', () => {
    source.close();
    received.full();
    timer = setTimeout(received.retry, 10 * RETRY_MS);
  });
  source.onerror = () => {
    received.lost();
    if (source.readyState !== EventSource.CLOSED) return;
    get('/api/session').catch((error) => {
      if (error instanceof SignedOut) received.signedOut();
    });
    timer = setTimeout(received.retry, RETRY_MS);
  };
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

function useVisible(): boolean {
  const [visible, setVisible] = useState(() => !document.hidden);
  useEffect(() => {
    const listen = () => setVisible(!document.hidden);
    document.addEventListener('visibilitychange', listen);
    return () => document.removeEventListener('visibilitychange', listen);
  }, []);
  return visible;
}
