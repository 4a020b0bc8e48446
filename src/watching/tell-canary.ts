/**
 * Tells the project's monitor of a canary run while it runs. Best effort: it never slows a run, nor fails it.
 */
import { randomBytes } from 'node:crypto';
import type { CanaryResult } from '../canary/experiment/run.ts';
import { whoami } from '../environment/audit.ts';
import { asFailure } from '../errors.ts';
import type { CanaryStatus } from '../hub/events/canaries.ts';
import type { Snapshot } from '../report/terminal.ts';
import { connect } from '../ssh/openssh.ts';
import type { Caller } from './caller.ts';
import { brokenStatus, type CanaryBegin, endedStatus, runningStatus } from './canary-status.ts';
import { askHub, findMonitor, NoHub } from './place.ts';

/** Between two messages about a run: each is a program on the monitor. */
const EVERY_MS = 5000;
/** What the end may take. */
const LAST_MS = 10_000;

export interface CanaryTeller {
  begin(run: CanaryBegin['run']): void;
  progress(snapshot: Snapshot): void;
  end(result: CanaryResult): void;
  /** Waits until the last was told; `failure` where there was no result. */
  close(failure?: unknown): Promise<void>;
}

/** @param inventory as `-i` gave it */
export function tellCanary(caller: Caller, inventory: string | undefined): CanaryTeller {
  // Ctrl-C ends the run, and the monitor is told of that too.
  const stop = new AbortController();
  const context = { ...caller.context, signal: stop.signal };
  const own = { ...caller, context };
  const place = findMonitor(inventory, own).catch(() => undefined);
  const connection = place.then((found) =>
    found === undefined ? undefined : connect(found.monitor, context),
  );
  let begin: CanaryBegin | undefined;
  let begunAt = 0;
  let lastAt = 0;
  let isOver = false;
  let isLost = false;
  let sending: Promise<void> = Promise.resolve();

  const send = (status: CanaryStatus) => {
    sending = sending.then(async () => {
      const to = await connection;
      if (to === undefined || isLost) return;
      try {
        await askHub(to, ['canary'], own, { input: JSON.stringify(status) });
      } catch (error) {
        isLost = true;
        // A host that is to be the monitor and was never set up misses nothing.
        if (stop.signal.aborted || error instanceof NoHub) return;
        const why = asFailure(error).message.replace(/\.$/, '');
        caller.output.line(`The monitor does not hear of this run: ${why}.`);
      }
    });
  };
  const age = () => performance.now() - begunAt;

  return {
    begin(run) {
      begin = { id: randomBytes(8).toString('hex'), by: whoami(context), run };
      begunAt = lastAt = performance.now();
      send(runningStatus(begin, 0));
    },
    progress(snapshot) {
      if (begin === undefined || performance.now() - lastAt < EVERY_MS) return;
      lastAt = performance.now();
      send(runningStatus(begin, age(), snapshot));
    },
    end({ report, exitKind }) {
      if (begin !== undefined) send(endedStatus(begin, age(), report, exitKind === 'interrupted'));
      isOver = true;
    },
    async close(failure) {
      if (begin !== undefined && !isOver)
        send(
          brokenStatus(begin, age(), failure === undefined ? 'It was stopped.' : asFailure(failure).message),
        );
      const timer = setTimeout(() => stop.abort(new Error('the monitor takes too long')), LAST_MS);
      await sending;
      clearTimeout(timer);
      await (await connection)?.close();
    },
  };
}
