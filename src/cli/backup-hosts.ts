/** What commands about backups begin with: connections to the hosts that are backed up. */
import type { BackedUpHost } from '../backup/restore.ts';
import { loadConfig } from '../config/load.ts';
import type { BackupsConfig, Config } from '../config/schema.ts';
import { withConnections } from '../environment/fleet.ts';
import { inventoryTargets } from '../environment/inventory-targets.ts';
import { Failure } from '../errors.ts';
import type { ReleaseHost } from '../release/index.ts';
import { groupsOf } from '../watching/place.ts';
import type { Session } from './command.ts';

export interface BackupPlace {
  readonly config: Config & { readonly backups: BackupsConfig };
  readonly hosts: readonly BackedUpHost[];
  /** The one that keeps the environment's lock. */
  readonly keeper: ReleaseHost;
}

/** @throws Failure `usage`: pipeline.yml has no backups */
function requireBackups(config: Config): Config & { readonly backups: BackupsConfig } {
  const { backups } = config;
  if (backups !== undefined) return { ...config, backups };
  throw new Failure('usage', `${config.path} has no backups:`, {
    next:
      'Say where they go, e.g. backups: { to: /srv/backups }, then run: pipeline prod up. ' +
      'See docs/backups.md.',
  });
}

/** Connects to every host that pipeline.yml is about. */
export async function withBackupHosts<T>(
  session: Session,
  inventoryFlag: string | undefined,
  work: (place: BackupPlace) => Promise<T>,
): Promise<T> {
  const config = requireBackups(await loadConfig(session.common.config, session.context));
  const inventory = await inventoryTargets(inventoryFlag, config, session.context);
  const used = inventory.targets.filter((target) =>
    groupsOf(target, inventory).some((group) => group in config.hosts),
  );
  const targets = [...new Set([...used, inventory.lockKeeper])];
  return withConnections(targets, session.context, (connections) => {
    const all = connections.map((connection) => ({
      name: connection.target.name,
      connection,
      groups: groupsOf(connection.target, inventory),
    }));
    const keeper = all.find(({ connection }) => connection.target === inventory.lockKeeper);
    if (keeper === undefined) throw new Error('the lock keeper is among the targets');
    return work({ config, keeper, hosts: all.filter(({ connection }) => used.includes(connection.target)) });
  });
}
