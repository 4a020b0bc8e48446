/** Where lines go: standard output, or a pager where somebody reads at a terminal. */
import { once } from 'node:events';
import { launch } from '../../process/child.ts';
import type { Session } from '../command.ts';

export interface LineSink {
  /** Resolves with false once nobody reads any more. */
  write(text: string): Promise<boolean>;
  complain(text: string): void;
  /** Returns once everything was read. */
  end(): Promise<void>;
}

/** Straight to standard output. */
function plain({ streams }: Session): LineSink {
  return { write: streams.write, complain: streams.complain, end: async () => {} };
}

/** @param page whether this is something to leaf through */
export function lineSink(session: Session, page: boolean): LineSink {
  const { env } = session.context;
  const wanted = env.PAGER;
  const isOff = wanted === '' || wanted === 'cat';
  if (!page || isOff || session.common.json || !session.streams.isTerminal) return plain(session);
  // As git does: ends at once where all fits on the screen, and keeps colours.
  const program = wanted ?? 'command -v less >/dev/null || exec cat; exec less';
  const child = launch('sh', ['-c', program], {
    env: { LESS: 'FRX', LV: '-c', ...env },
    stdio: ['pipe', 'inherit', 'inherit'],
    inForeground: true,
  });
  const { stdin } = child;
  if (stdin === null) return plain(session);
  const ended = once(child, 'close');
  const complaints: string[] = [];
  let isOver = false;
  // Its reader left before the end: that is what pagers are for.
  stdin.on('error', () => {
    isOver = true;
  });
  child.once('close', () => {
    isOver = true;
  });
  return {
    write: async (text) => {
      if (isOver) return false;
      if (!stdin.write(text)) await Promise.race([once(stdin, 'drain').catch(() => undefined), ended]);
      return !isOver;
    },
    // The pager has the screen.
    complain: (text) => void complaints.push(text),
    end: async () => {
      stdin.end();
      await ended;
      for (const text of complaints) session.streams.complain(text);
    },
  };
}
