/** Faults on the hosts of both sides at the same moment. The hosts undo them by themselves. */
import type { Fault } from '../../config/faults.ts';
import type { Context } from '../../context.ts';
import { Failure } from '../../errors.ts';
import { withValues } from '../../ssh/script.ts';
import beginFault from './fault-begin.sh' with { type: 'text' };
import undoFault from './fault-undo.sh' with { type: 'text' };
import clearFaults from './faults-clear.sh' with { type: 'text' };
import type { LabHost } from './hosts.ts';

const FOLDER = '/var/lib/pipeline-fault';
const LIMIT_MS = 30_000;

/** A host that faults are done to. */
export interface FaultySide {
  readonly host: LabHost;
  /** Units of the application. */
  readonly units: readonly string[];
  /** Units of its database servers. */
  readonly databases: readonly string[];
}

/** The script that does a fault. `from`: the proxy's address. Pure. */
function faultScript(fault: Fault, index: number, side: FaultySide, from: string): string {
  const values = valuesOf(fault, index, side);
  return withValues(beginFault, {
    ...values,
    undo: undoScript(fault, index, side),
    seconds: String(fault.seconds),
    amount: amountOf(fault),
    from,
  });
}

/** The script that undoes it. Pure. */
function undoScript(fault: Fault, index: number, side: FaultySide): string {
  return withValues(undoFault, valuesOf(fault, index, side));
}

function valuesOf({ kind }: Fault, index: number, { units, databases }: FaultySide) {
  return { id: `pipeline-fault-${index}`, kind, units, databases, folder: FOLDER };
}

/** As the host's programs take it: seconds, a quota, requests in a thousand. */
function amountOf({ kind, amount }: Fault): string {
  if (amount === null) return '';
  if (kind === 'slow:database') return (amount / 1000).toFixed(3);
  return kind === 'cpu' ? `${amount}%` : String(Math.round(amount * 10));
}

/** @throws Failure kind `usage` where a host cannot have a fault that is wanted; nothing was done then. */
export async function checkFaults(
  faults: readonly Fault[],
  sides: readonly FaultySide[],
  context: Context,
): Promise<void> {
  if (!faults.some(({ kind }) => kind === 'disk:full')) return;
  await Promise.all(
    sides.map(async ({ host }) => {
      if (host.ownDisk === true) return;
      const kind = await host.connection.check('stat -f -c %T /', {
        label: 'whose disk it is',
        signal: context.signal,
      });
      if (kind.trim() !== 'overlayfs') return;
      throw new Failure(
        'usage',
        `${host.name} shares its disk with this machine, which disk:full would fill.`,
        {
          host: host.name,
          next:
            'Remove hosts that --keep left, so that new ones get disks of their own ' +
            '(`pipeline prod destroy --canary`), use other hosts (-i), or leave disk:full out.',
        },
      );
    }),
  );
}

/** Does a fault to both sides at once. */
export async function beginOn(
  sides: readonly FaultySide[],
  fault: Fault,
  index: number,
  from: string,
  context: Context,
): Promise<void> {
  await Promise.all(
    sides.map((side) =>
      side.host.connection.check(faultScript(fault, index, side, from), {
        label: `fault ${fault.text}`,
        timeoutMs: LIMIT_MS,
      }),
    ),
  );
  context.progress({ stage: `fault ${fault.text}`, state: 'done', detail: `for ${fault.seconds} s` });
}

/** Undoes whatever is left of them. Never throws: what a host cannot be told now it does by its timer. */
export async function undoAll(
  sides: readonly FaultySide[],
  faults: readonly Fault[],
  context: Context,
): Promise<void> {
  const script = (side: FaultySide) =>
    withValues(clearFaults, {
      undo: faults.map((fault, index) => undoScript(fault, index, side)),
      folder: FOLDER,
    });
  await Promise.all(
    sides.map(async (side) => {
      try {
        await side.host.connection.script(script(side), { label: 'undo faults', timeoutMs: LIMIT_MS });
      } catch (error) {
        context.trace(`${side.host.name}: faults end by their timer: ${String(error)}`);
      }
    }),
  );
}
