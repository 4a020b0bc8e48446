/** What the agents on the three hosts say every second, until told to stop. */
import type { Context } from '../../context.ts';
import { type LiveLine, parseLiveLine } from '../../metrics/live.ts';
import type { Connection } from '../../ssh/connection.ts';
import { command } from '../../ssh/quote.ts';

export interface AgentStream {
  /** Resolves with the first line; rejects where the agent ends before it. */
  readonly begun: Promise<void>;
  /** When the last line came, milliseconds since 1970; 0: none yet. */
  lastAt(): number;
  /** Ends it. Safe to call twice; never throws. */
  close(): Promise<void>;
}

export interface AgentWatch {
  /** Node on the host, and the agent's file there. */
  readonly node: string;
  readonly agent: string;
  /** `--nginx-log PATH`, `--unit NAME.service` for each unit, or `--numbers JSON`. */
  readonly source: readonly string[];
  readonly atMostMs: number;
  readonly onLine: (line: LiveLine) => void;
  /** It ended although nobody closed it. */
  readonly onEnd: (reason: string) => void;
}

/** Keeps the agent small beside what it measures. */
const SMALL = ['--max-semi-space-size=1', '--max-old-space-size=64', '--v8-pool-size=1'];

/** Starts the agent's stream on a host. */
export function openStream(connection: Connection, options: AgentWatch, context: Context): AgentStream {
  const stop = new AbortController();
  let last = 0;
  let begin: () => void = () => {};
  let fail: (reason: Error) => void = () => {};
  const begun = new Promise<void>((resolve, reject) => {
    begin = resolve;
    fail = reject;
  });
  // Whoever does not wait for the beginning hears of a failure through onEnd.
  begun.catch(() => {});
  const running = connection
    .script(
      'exec ' +
        `${command([options.node, ...SMALL, options.agent, 'stream', ...options.source, '--interval', '1'])}`,
      {
        label: `watch ${options.source[0]}`,
        timeoutMs: options.atMostMs,
        signal: stop.signal,
        onStdout: (text) => {
          const line = parseLiveLine(text);
          if (line === undefined) {
            context.trace(`${connection.target.name}: unreadable line of the agent: ${text.slice(0, 200)}`);
            return;
          }
          last = Date.now();
          begin();
          options.onLine(line);
        },
      },
    )
    .then(
      ({ exitCode, stderr }) =>
        `the agent ended (exit ${exitCode}) ${stderr.trim().split('\n').at(-1) ?? ''}`.trim(),
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    .then((reason) => {
      if (stop.signal.aborted) return;
      fail(new Error(reason));
      options.onEnd(reason);
    });
  return {
    begun,
    lastAt: () => last,
    async close() {
      stop.abort(new Error('closed'));
      await running;
    },
  };
}
