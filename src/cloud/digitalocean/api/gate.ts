/**
 * Lets calls through: a few at a time, none while the API asks to wait, and one at first afterwards: only
 * the calls of a moment have left the API's window by then, so that all of them at once would be turned
 * down again.
 */
import type { Context } from '../../../context.ts';
import type { Clock } from './clock.ts';

export interface Gate {
  run<T>(call: () => Promise<T>): Promise<T>;
  /** Holds every call back for so many milliseconds; `why` is shown. */
  pause(ms: number, why: string): void;
}

/** Calls under way at once, at most. */
const WIDTH = 24;
const STAGE = 'API rate limit';

export function createGate(context: Context, clock: Clock): Gate {
  let running = 0;
  let width = WIDTH;
  let openAt = 0;
  let waiting = false;
  const queue: (() => void)[] = [];

  function enter(): Promise<void> {
    return new Promise((resolve) => {
      queue.push(resolve);
      admit();
    });
  }

  function admit(): void {
    while (running < width && queue.length > 0) {
      running++;
      queue.shift()?.();
    }
  }

  function leave(): void {
    running--;
    admit();
  }

  async function waitUntilOpen(): Promise<void> {
    for (let wait = openAt - clock.now(); wait > 0; wait = openAt - clock.now()) {
      await clock.sleep(wait, context.signal);
    }
    if (!waiting) return;
    waiting = false;
    context.progress({ stage: STAGE, state: 'done' });
  }

  return {
    async run(call) {
      await enter();
      while (clock.now() < openAt) {
        leave();
        await waitUntilOpen();
        await enter();
      }
      try {
        context.signal.throwIfAborted();
        const answer = await call();
        width = Math.min(WIDTH, width + 1);
        return answer;
      } finally {
        leave();
      }
    },
    pause(ms, why) {
      const until = clock.now() + ms + clock.random() * Math.min(1_000, ms / 4);
      if (until <= openAt) return;
      openAt = until;
      width = 1;
      waiting = true;
      context.progress({
        stage: STAGE,
        state: 'running',
        detail: `DigitalOcean asks to wait ${Math.ceil(ms / 1_000)} s${why === '' ? '' : ` (${why})`}`,
      });
    },
  };
}
