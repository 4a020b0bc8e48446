/** The monitor set up: Redis, hub and dashboard on its host, an agent on every host. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { audit, whoami } from '../environment/audit.ts';
import { withConnections } from '../environment/fleet.ts';
import { withLock } from '../environment/lock.ts';
import { Failure } from '../errors.ts';
import { counted } from '../format.ts';
import type { Change } from '../host/change.ts';
import { converge } from '../host/converge.ts';
import type { Resource } from '../host/resource.ts';
import { agentResources } from '../roles/agent.ts';
import { REDIS_PORT } from '../roles/hub.ts';
import { type Connection, publicAddress } from '../ssh/connection.ts';
import type { Caller } from './caller.ts';
import { agentConfig, rolesOf } from './desired.ts';
import { type HubInputs, hubInputs, hubState } from './hub-state.ts';
import { checkOwnRules } from './own-rules.ts';
import { agentSays, askHub, groupsOf, type HubStatus, type MonitorPlace } from './place.ts';
import { findPrograms, nodePath, type Programs, prunePrograms, sendPrograms } from './programs.ts';
import { hostFailure, type Reached, reach } from './reach.ts';
import { type MonitorSecrets, monitorSecrets } from './secrets.ts';

/** How long a host may take until its first sample arrives. */
const HEARD_MS = 30_000;

/** What was done on one host, and what went wrong there. */
export interface WatchedHost {
  readonly host: string;
  readonly changes: readonly Change[];
  readonly failure?: Failure | undefined;
}

/** The first user of a dashboard that had none. */
export interface FirstUser {
  readonly user: string;
  readonly password: string;
}

export interface SetUpOptions {
  /** Wait for the lock instead of giving up. */
  readonly wait: boolean;
  /** Shows the password at once: whatever fails after this, it cannot be shown again. */
  readonly onFirstUser: (first: FirstUser) => void;
}

/** What the hub answers to `first`. The password is there where the user was made just now. */
interface First extends HubStatus, Partial<FirstUser> {}

interface Done extends WatchedHost {
  readonly connection: Connection;
}

/**
 * Brings every host to where the monitor hears it. A host that fails keeps no other from being set up; its
 * failure is in the result.
 * @throws Failure `usage` for a host's name that Redis's access rules cannot hold; `host` where the monitor
 *   itself fails; `locked`
 */
export async function setUpMonitor(
  place: MonitorPlace,
  { wait, onFirstUser }: SetUpOptions,
  caller: Caller,
): Promise<{ readonly hosts: readonly WatchedHost[]; readonly first: FirstUser | undefined }> {
  const { context } = caller;
  const { inventory, monitor } = place;
  requireNames(inventory.targets.map(({ name }) => name));
  checkOwnRules(place.config.alerts.own, place);
  const inputs = await hubInputs(place.config, context.env);
  return withConnections(inventory.targets, context, async (connections) => {
    const keeper = connections.find(({ target }) => target === inventory.lockKeeper);
    const hub = connections.find(({ target }) => target === monitor);
    if (keeper === undefined || hub === undefined) throw new Error('every target has a connection');
    // Reads only, so it need not wait for the lock.
    const reached = reach(publicAddress(monitor), connections, context);
    reached.catch(() => {});
    const lock = { command: 'pipeline monitor setup', wait };
    return withLock(keeper, lock, context, async (locked) =>
      new SetUp({ ...place, inputs }, hub, onFirstUser, { ...caller, context: locked }).run(await reached),
    );
  });
}

/** One run over all hosts, under the lock. */
class SetUp {
  readonly #place: MonitorPlace & { readonly inputs: HubInputs };
  readonly #hub: Connection;
  readonly #onFirstUser: SetUpOptions['onFirstUser'];
  readonly #caller: Caller;
  #first: FirstUser | undefined;

  constructor(
    place: MonitorPlace & { readonly inputs: HubInputs },
    hub: Connection,
    onFirstUser: SetUpOptions['onFirstUser'],
    caller: Caller,
  ) {
    this.#place = place;
    this.#hub = hub;
    this.#onFirstUser = onFirstUser;
    this.#caller = caller;
  }

  async run(reached: readonly Reached[]): Promise<{ hosts: readonly Done[]; first: FirstUser | undefined }> {
    const { context } = this.#caller;
    const unreached = reached.find(({ connection }) => connection === this.#hub)?.failure;
    if (unreached !== undefined) throw unreached;
    const [secrets, programs] = await Promise.all([
      monitorSecrets(this.#hub, context),
      findPrograms(context),
    ]);
    const fleet = [...new Set(reached.flatMap(({ addresses }) => addresses))].sort();
    const parts = { ...this.#place.inputs, secrets, fleet, node: nodePath(programs.node) };
    // Usually nothing is to do. Then this answer, which takes Node half a second, is as good as a later one.
    const asked = this.#askFirst().catch(() => undefined);
    const hubPart = await hubState(this.#place, { ...parts, program: programs.hub.to }, this.#hub, context);
    const own = { ...this.#place, secrets, programs };
    const done = await Promise.all(reached.map((one) => this.#setUpOne(one, own, hubPart)));
    const early = await asked;
    const isUnchanged = done.every(({ changes }) => changes.length === 0);
    const status = early !== undefined && isUnchanged ? early : await this.#askFirst();
    return { hosts: await waitUntilHeard(this.#hub, done, status, this.#caller), first: this.#first };
  }

  async #setUpOne(
    { connection, failure }: Reached,
    parts: Omit<HostParts, 'hubPart'>,
    hubPart: readonly Resource[],
  ): Promise<Done> {
    const { context } = this.#caller;
    const host = connection.target.name;
    const isMonitor = connection === this.#hub;
    context.progress({ host, stage: 'monitor', state: 'started' });
    try {
      if (failure !== undefined) throw failure;
      const own = { ...parts, hubPart: isMonitor ? hubPart : [] };
      const changes = await setUpHost(connection, own, context);
      const detail = changes.length === 0 ? 'as it should be' : counted(changes.length, 'change');
      context.progress({ host, stage: 'monitor', state: 'done', detail });
      return { connection, host, changes };
    } catch (thrown) {
      context.progress({ host, stage: 'monitor', state: 'failed' });
      const found = hostFailure(thrown, context);
      // Without the monitor there is nothing to watch with.
      if (isMonitor) throw found;
      return { connection, host, changes: [], failure: found };
    }
  }

  async #askFirst(): Promise<HubStatus> {
    const first = (await askHub(this.#hub, ['first'], this.#caller, { secretOutput: true })) as First;
    if (first.user !== undefined && first.password !== undefined) {
      this.#first = { user: first.user, password: first.password };
      this.#onFirstUser(this.#first);
    }
    return first;
  }
}

/** What a host is set up with. */
interface HostParts extends MonitorPlace {
  readonly inputs: HubInputs;
  readonly secrets: MonitorSecrets;
  readonly programs: Programs;
  readonly hubPart: readonly Resource[];
}

/** @returns what was changed */
async function setUpHost(
  connection: Connection,
  { config, inventory, monitor, inputs, secrets, programs, hubPart }: HostParts,
  context: Context,
): Promise<readonly Change[]> {
  const host = connection.target.name;
  const isMonitor = hubPart.length > 0;
  const sent = await sendPrograms(connection, programs, isMonitor, context);
  const groups = groupsOf(connection.target, inventory);
  const agent = agentResources({
    node: nodePath(programs.node),
    program: programs.agent.to,
    mariadb: rolesOf(config, groups).has('mariadb'),
    config: agentConfig(config, {
      host,
      groups,
      monitorAddress: publicAddress(monitor),
      certificate: secrets.certificate,
      password: secrets.password(`agent:${host}`),
      forward: inputs.forward,
    }),
  });
  const { changes } = await converge(connection, unique([...hubPart, ...agent]), context);
  const all = [...sent, ...changes];
  if (sent.length > 0) await prunePrograms(connection, programs, isMonitor, context);
  if (all.length > 0) {
    const message = counted(all.length, 'change');
    const entry = { at: context.now().toISOString(), by: whoami(context), action: 'monitor setup' } as const;
    await audit(connection, { ...entry, result: 'done', message }, context);
  }
  return all;
}

/**
 * Waits for the first sample of each host that was set up, and for the dashboard. The failure of a host that
 * stays silent says what its agent says.
 * @throws Failure `host` where the dashboard does not answer
 */
async function waitUntilHeard(
  hub: Connection,
  done: readonly Done[],
  first: HubStatus,
  caller: Caller,
): Promise<readonly Done[]> {
  const { context } = caller;
  const begun = performance.now();
  const missing = ({ now, hosts }: HubStatus) =>
    done.filter(({ host, failure }) => failure === undefined && now - (hosts[host]?.at ?? 0) > HEARD_MS / 2);
  let status = first;
  const waits = () => missing(status).length > 0 || !status.answers;
  if (!waits()) return done;
  context.progress({ stage: 'first samples', state: 'started' });
  while (waits() && performance.now() - begun < HEARD_MS) {
    await sleep(500, undefined, { signal: context.signal });
    status = (await askHub(hub, ['status'], caller)) as HubStatus;
  }
  context.progress({ stage: 'first samples', state: waits() ? 'failed' : 'done' });
  if (!status.answers) {
    throw new Failure('host', `${hub.target.name}: the dashboard does not answer`, {
      host: hub.target.name,
      next:
        `See journalctl -u pipeline-hub on ${hub.target.name}, fix what it says, ` +
        'then run the command again.',
    });
  }
  const silent = missing(status);
  return Promise.all(
    done.map(async (one) => {
      if (!silent.includes(one)) return one;
      const { host, connection } = one;
      const failure = new Failure('host', `${host} sends no samples`, {
        host,
        output: [`  its agent says: ${await agentSays(connection, caller)}`],
        next:
          `If it cannot reach port ${REDIS_PORT} of the monitor, add "monitor:" to pipeline.yml and run ` +
          `pipeline prod up, which opens the firewall. More: journalctl -u pipeline-agent on ${host}`,
      });
      return { ...one, failure };
    }),
  );
}

/** What hub and agent both need is said once. */
function unique(resources: readonly Resource[]): readonly Resource[] {
  const seen = new Set<string>();
  return resources.filter((resource) => {
    const key = JSON.stringify(resource);
    return seen.has(key) ? false : seen.add(key);
  });
}

/** A host's name is part of Redis's access rules. */
function requireNames(names: readonly string[]): void {
  const wrong = names.find((name) => !/^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/.test(name));
  if (wrong !== undefined)
    throw new Failure('usage', `the monitor cannot watch a host called "${wrong}"`, {
      next: 'Use letters, digits, dots, dashes and underscores in the inventory.',
    });
}
