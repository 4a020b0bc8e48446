/**
 * `prod plan -i`, `prod up -i` and what `prod replace -i` shares: hosts that people already have. Nothing of
 * theirs goes without a yes.
 */
import { givenBackups, withBackups, withPassword } from '../backup/wanted.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Context } from '../context.ts';
import { type ExistingHosts, existingHosts, existingWork } from '../environment/existing.ts';
import { allSettledOrFirst, withConnections } from '../environment/fleet.ts';
import { withLock } from '../environment/lock.ts';
import { Failure } from '../errors.ts';
import { duration } from '../format.ts';
import type { Theirs } from '../host/change.ts';
import { requireAgreed } from '../host/theirs.ts';
import { convergeHost, type WantedHost } from '../release/index.ts';
import type { Connection } from '../ssh/connection.ts';
import { changeEntries, changeSummary, type HostChanges, planLines } from './changes.ts';
import type { CommandResult, Session } from './command.ts';
import { configureHost } from './configure-host.ts';
import { counted, type Output } from './output.ts';
import { confirm } from './question.ts';

const NO_CLOUD = { changes: [], warnings: [] };

/** A host, and what it should be. */
export interface Work {
  readonly connection: Connection;
  readonly wanted: WantedHost;
}

/** One host as it was looked at: what would change, and what of theirs that concerns. */
export type Seen = HostChanges & { readonly theirs: readonly Theirs[] };

interface Options {
  readonly provider: string | undefined;
}

/** Shows what `changeExisting` would do. Touches nothing. */
export async function planExisting(
  inventory: string,
  options: Options,
  session: Session,
): Promise<CommandResult> {
  const { output } = session;
  return withExisting(inventory, { ...options, keep: false }, session, async (hosts, work) => {
    const seen = await show(hosts, work, session);
    const entries = changeEntries(NO_CLOUD, seen);
    output.line(
      entries.length === 0
        ? `Nothing to change on ${counted(seen.length, 'host')}.`
        : `${changeSummary(entries)}. Nothing was touched. Run: pipeline prod up -i ${inventory}`,
    );
    return { json: documentOf(hosts, work, seen) };
  });
}

/**
 * Shows what it would do, asks, and does it.
 * @throws Failure kind `usage` where nobody says yes, or something is in the way that no yes helps with:
 *   nothing was touched then.
 */
export async function changeExisting(
  inventory: string,
  options: Options & { readonly wait: boolean; readonly yes: boolean },
  session: Session,
): Promise<CommandResult> {
  const { output, context } = session;
  return withExisting(inventory, { ...options, keep: true }, session, async (hosts, work, keeper) => {
    const seen = await show(hosts, work, session);
    const entries = changeEntries(NO_CLOUD, seen);
    const json = documentOf(hosts, work, seen);
    if (entries.length === 0) {
      output.line(`Nothing to change on ${counted(seen.length, 'host')}.`);
      return { json };
    }
    requireNothingInTheWay(seen);
    output.line(`${changeSummary(entries)}.`);
    if (!options.yes) await confirm('Type yes to go on: ', 'yes', output);
    const started = performance.now();
    const lock = { command: `pipeline prod up -i ${inventory}`, wait: options.wait };
    const changed = await withLock(keeper, lock, context, (locked) =>
      configureSeen(work, seen, locked, output),
    );
    const done = changeEntries(NO_CLOUD, changed);
    output.line(`Ready in ${duration(performance.now() - started)}. ${changeSummary(done)}.`);
    return { json: { ...json, changes: done, changed: done.length } };
  });
}

/** What was shown may go, once somebody said yes. */
function agreedTo({ theirs }: Seen): ReadonlySet<string> {
  return new Set(theirs.map(({ id }) => id));
}

/** @throws Failure kind `usage` where something is in the way that no yes helps with */
export function requireNothingInTheWay(seen: readonly Seen[]): void {
  for (const one of seen) requireAgreed(one.host, one.theirs, agreedTo(one));
}

/** Makes all what they should be. `seen`: what was shown of each, and agreed to. */
export function configureSeen(
  work: readonly Work[],
  seen: readonly Seen[],
  context: Context,
  output: Output,
): Promise<readonly HostChanges[]> {
  return allSettledOrFirst(
    work.map(({ connection, wanted }, index) => {
      const one = seen[index];
      return configureHost(connection, wanted, { agreed: one && agreedTo(one) }, context, output);
    }),
  );
}

/** Connects to the hosts, finds out what each should be, and runs `act`. */
export async function withExisting(
  inventory: string,
  { provider, keep }: Options & { readonly keep: boolean },
  { context, common }: Session,
  act: (
    hosts: ExistingHosts,
    work: readonly Work[],
    keeper: Connection,
    config: Config,
  ) => Promise<CommandResult>,
): Promise<CommandResult> {
  if (provider !== undefined) {
    throw new Failure('usage', '--provider makes hosts, and -i takes those that are there', {
      next: 'Give one of them.',
    });
  }
  const config = await loadConfig(common.config, context);
  const given = await givenBackups(config, context);
  const hosts = await existingHosts(inventory, config, context);
  const targets = [...new Set([hosts.lockKeeper, ...hosts.groups.keys()])];
  return withConnections(targets, context, async (connections) => {
    const keeper = connections.find(({ target }) => target === hosts.lockKeeper);
    if (keeper === undefined) throw new RangeError('the lock keeper is among the targets');
    const backups = given && (await withPassword(given, connections, context, { keep }));
    const [first] = hosts.groups.keys();
    const work = (await existingWork(hosts, connections, config, context)).map((one) => {
      const { target } = one.connection;
      const at = { name: target.name, groups: hosts.groups.get(target) ?? [], first: first?.name ?? '' };
      return { ...one, wanted: withBackups(one.wanted, backups, at) };
    });
    return act(hosts, work, keeper, config);
  });
}

/** Looks at every host and prints the plan. */
export async function show(
  { missing, path }: ExistingHosts,
  work: readonly Work[],
  { context, output }: Session,
): Promise<readonly Seen[]> {
  const seen = await look(work, context);
  const warnings = missing.map((group) => `${path} has no host in the group [${group}]`);
  for (const line of planLines({ ...NO_CLOUD, warnings }, seen, output.colors)) output.line(line);
  output.line();
  return seen;
}

function look(work: readonly Work[], context: Context): Promise<readonly Seen[]> {
  return allSettledOrFirst(
    work.map(async ({ connection, wanted }) => {
      const { changes, theirs } = await convergeHost(connection, wanted, context, { dryRun: true });
      return { host: connection.target.name, changes, theirs };
    }),
  );
}

function documentOf({ path, missing }: ExistingHosts, work: readonly Work[], seen: readonly Seen[]) {
  const changes = changeEntries(NO_CLOUD, seen);
  return {
    provider: null,
    changes,
    changed: changes.length,
    hosts: work.map(({ connection: { target }, wanted: { roles } }) => ({
      name: target.name,
      address: target.address,
      roles,
    })),
    theirs: seen.flatMap(({ host, theirs }) =>
      theirs.map(({ id, fate, says, found }) => ({ host, step: id, fate, says, found })),
    ),
    inventory: path,
    warnings: missing.map((group) => `${path} has no host in the group [${group}]`),
    cost: null,
  };
}
