/** Lets calls through: a few at a time, and none while the API asks to wait. */
import type { Context } from '../../context.ts';
import type { Clock } from './clock.ts';

export interface Gate {
  run<T>(call: () => Promise<T>): Promise<T>;
  /** Holds every call back for so many milliseconds; `why` is shown. */
  pause(ms: number, why: string): void;
}

/** Calls under way at once. */
const WIDTH = 8;
const STAGE = 'API rate limit';

export function createGate(context: Context, clock: Clock): Gate {
  let running = 0;
  let openAt = 0;
  let waiting = false;
  const queue: (() => void)[] = [];

  async function enter(): Promise<void> {
    if (running < WIDTH) {
      running++;
      return;
    }
    await new Promise<void>((resolve) => queue.push(resolve));
  }

  function leave(): void {
    const next = queue.shift();
    if (next === undefined) running--;
    else next();
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
      try {
        await waitUntilOpen();
        context.signal.throwIfAborted();
        return await call();
      } finally {
        leave();
      }
    },
    pause(ms, why) {
      const until = clock.now() + ms + clock.random() * Math.min(1_000, ms / 4);
      if (until <= openAt) return;
      openAt = until;
      waiting = true;
      context.progress({
        stage: STAGE,
        state: 'running',
        detail: `DigitalOcean asks to wait ${Math.ceil(ms / 1_000)} s${why === '' ? '' : ` (${why})`}`,
      });
    },
  };
}
