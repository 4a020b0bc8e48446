/** Which hosts the monitor is about: the one that watches, and those that are watched. */

import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { withConnections } from '../environment/fleet.ts';
import { type InventoryTargets, inventoryTargets } from '../environment/inventory-targets.ts';
import { Failure } from '../errors.ts';
import { type Connection, publicAddress, type SshTarget } from '../ssh/connection.ts';
import { withValues } from '../ssh/script.ts';
import agentSaysProgram from './agent-says.sh' with { type: 'text' };
import askHubProgram from './ask-hub.sh' with { type: 'text' };
import type { Caller } from './caller.ts';
import { rolesOf } from './desired.ts';

export interface MonitorPlace {
  readonly config: Config;
  readonly inventory: InventoryTargets;
  readonly monitor: SshTarget;
}

/** An alert as the hub tells of it. */
export interface FiringAlert {
  readonly key: string;
  readonly since: number;
  readonly subject: string;
  readonly state: string;
  readonly severity: string;
  readonly message: string;
}

/** What the hub on its host knows. */
export interface HubStatus {
  readonly now: number;
  /** Whether a hub takes samples in. */
  readonly working: boolean;
  /** Whether the dashboard's port is open. */
  readonly answers: boolean;
  readonly hosts: Readonly<Record<string, { readonly at: number; readonly aheadMs: number }>>;
  readonly alerts: readonly FiringAlert[];
  /** Who has taken which alert; absent: a hub of before. */
  readonly taken?: readonly { readonly key: string; readonly since: number; readonly by: string }[];
}

/**
 * @throws Failure `usage` where the inventory names no host for the monitor, or one that serves something
 * else on its ports
 */
export async function findMonitor(flag: string | undefined, caller: Caller): Promise<MonitorPlace> {
  const config = await loadConfig(caller.common.config, caller.context);
  const inventory = await inventoryTargets(flag, config, caller.context);
  const group = config.monitor?.host ?? 'monitor';
  const [monitor] = inventory.groups.get(group) ?? [];
  if (monitor === undefined)
    throw new Failure('usage', `${inventory.path} has no host in the group [${group}]`, {
      next:
        `Add ${group} to hosts: and "monitor: { host: ${group} }" to ${config.path}, ` +
        'then run: pipeline prod up',
    });
  const taken = [...rolesOf(config, groupsOf(monitor, inventory))].filter(
    (role) => role === 'nginx' || role === 'redis',
  );
  if (taken.length > 0)
    throw new Failure(
      'usage',
      `${monitor.name} is to be the monitor and has the role ${taken.join(' and ')}, which takes its ports`,
      {
        next: 'Give the monitor a host of its own, without these roles.',
      },
    );
  return { config, inventory, monitor };
}

/** Names of the groups that a host is in. */
export function groupsOf(target: SshTarget, { groups }: InventoryTargets): readonly string[] {
  return [...groups].filter(([, members]) => members.includes(target)).map(([name]) => name);
}

/** There is no hub on the host that is to be the monitor: `monitor setup` was never run. */
export class NoHub extends Failure {}

/** Exit code of a host without a hub. */
const NO_HUB = 4;

/**
 * Runs a command of the hub on its host and reads its JSON answer. Standard input is given as a file, never
 * on a command line.
 */
export async function askHub(
  connection: Connection,
  args: readonly string[],
  caller: Caller,
  options: { readonly input?: string; readonly secretOutput?: boolean } = {},
): Promise<unknown> {
  const { input } = options;
  const values = { no_hub: String(NO_HUB), args, ...(input === undefined ? {} : { input }) };
  const script = withValues(askHubProgram, values);
  const label = `hub: ${args.join(' ')}`;
  const { signal } = caller.context;
  const result = await connection.script(script, {
    label,
    signal,
    secretOutput: options.secretOutput ?? false,
  });
  if (result.exitCode === 0) return JSON.parse(result.stdout) as unknown;
  const lines = result.stderr.trim().split('\n');
  const { name } = connection.target;
  const details = { host: name, output: lines.slice(2) };
  if (result.exitCode === NO_HUB) {
    const next = 'Make the monitor: pipeline monitor setup';
    throw new NoHub('host', `${name}: ${lines[0] ?? 'There is no hub here.'}`, { ...details, next });
  }
  // What it does not know came with a later version than its own.
  if (lines[0]?.startsWith('There is no command "') === true)
    throw new Failure('usage', `${name}: the monitor is of an earlier version`, {
      host: name,
      next: 'Bring it up to date: pipeline monitor setup',
    });
  const next = lines[1] ?? 'On the host: journalctl -u pipeline-hub';
  throw new Failure(
    result.exitCode === 2 ? 'usage' : 'host',
    `${name}: ${lines[0] ?? 'the hub does not answer'}`,
    {
      ...details,
      next,
    },
  );
}

/** What the agent of a host says of itself: the last line of its journal, or that it does not run. */
export async function agentSays(connection: Connection, { context }: Caller): Promise<string> {
  const options = { label: 'what the agent says', signal: context.signal, timeoutMs: 15_000 };
  return connection.check(agentSaysProgram, options).then(
    (text) => text.trim().replaceAll('\n', ' '),
    (thrown: unknown) => {
      context.signal.throwIfAborted();
      if (thrown instanceof Failure) return thrown.message;
      throw thrown;
    },
  );
}

/** Connects to the monitor alone. */
export function withMonitor<T>(
  flag: string | undefined,
  caller: Caller,
  work: (connection: Connection, place: MonitorPlace) => Promise<T>,
): Promise<T> {
  return findMonitor(flag, caller).then((place) =>
    withConnections([place.monitor], caller.context, async ([connection]) => {
      if (connection === undefined) throw new Error('one connection was asked for');
      return work(connection, place);
    }),
  );
}

/** Where the dashboard is. */
export function dashboardUrl({ config, monitor }: Pick<MonitorPlace, 'config' | 'monitor'>): string {
  const address = config.monitor?.domain ?? publicAddress(monitor);
  const host = address.includes(':') ? `[${address}]` : address;
  return `${config.monitor?.tls === undefined ? 'http' : 'https'}://${host}/dashboard`;
}
