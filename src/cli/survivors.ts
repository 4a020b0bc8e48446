/** What the other hosts know of one that is lost: its backups, what it served, whether it was watched. */
import { isReplacing, servedOn } from '../backup/bring-back.ts';
import type { KnownReleases } from '../backup/lost.ts';
import { onHost } from '../backup/on-host.ts';
import type { Config } from '../config/schema.ts';
import type { Snapshot } from '../contract/backup.ts';
import { withConnections } from '../environment/fleet.ts';
import { asFailure } from '../errors.ts';
import type { Connection, SshTarget } from '../ssh/connection.ts';
import type { Session } from './command.ts';

/** What others know of the lost host. */
export interface Known {
  /** Newest first; undefined: nobody is left to ask. */
  readonly snapshots: readonly Snapshot[] | undefined;
  readonly served: KnownReleases;
  /** Somebody is watched by a monitor. */
  readonly watched: boolean;
  /** An earlier run made it anew, and did not finish. */
  readonly begun: boolean;
}

/** Nobody knows any. */
export const NONE: KnownReleases = { live: [], before: [] };
const NOTHING: Known = { snapshots: undefined, served: NONE, watched: false, begun: false };

/** Every host that still answers: of those that do not, somebody else may know. */
export async function askSurvivors(
  targets: readonly SshTarget[],
  name: string,
  config: Config,
  session: Session,
): Promise<Known> {
  const answers = await withConnections(targets, session.context, (connections) =>
    Promise.all(
      connections.map(async (connection) => {
        const isLost = connection.target.name === name;
        // A folder on the lost host is as lost as the host.
        const shares = config.backups !== undefined && (isLost || !config.backups.to.startsWith('/'));
        return answerOf(connection, { isLost, shares }, session);
      }),
    ),
  );
  return {
    snapshots: answers.find(({ snapshots }) => snapshots !== undefined)?.snapshots,
    served: both(answers.map(({ served }) => served)),
    watched: answers.some(({ watched }) => watched),
    begun: answers.some(({ begun }) => begun),
  };
}

async function answerOf(
  connection: Connection,
  { isLost, shares }: { readonly isLost: boolean; readonly shares: boolean },
  session: Session,
): Promise<Known> {
  const { context } = session;
  const tried = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (thrown) {
      context.signal.throwIfAborted();
      const failure = asFailure(thrown);
      if (failure.kind === 'internal') throw failure;
      return undefined;
    }
  };
  const begun = isLost ? await tried(() => isReplacing(connection, context)) : false;
  // It does not even answer that.
  if (begun === undefined) return NOTHING;
  const look = '[ -e /etc/systemd/system/pipeline-agent.service ]';
  const options = { label: 'is it watched', signal: context.signal, timeoutMs: 30_000 };
  const [listed, served, watched] = await Promise.all([
    shares ? tried(() => onHost(connection, ['list'], context)) : undefined,
    tried(() => servedOn(connection, context)),
    tried(() => connection.script(look, options)),
  ]);
  const snapshots = listed?.the('snapshots').snapshots;
  return { snapshots, served: served ?? NONE, watched: watched?.exitCode === 0, begun };
}

/** What several hosts know. */
export function both(all: readonly KnownReleases[]): KnownReleases {
  return { live: all.flatMap(({ live }) => live), before: all.flatMap(({ before }) => before) };
}
