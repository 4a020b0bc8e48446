/** `pipeline monitor setup`: Redis, hub and dashboard on the monitor host, an agent on every host. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../context.ts';
import { audit, whoami } from '../../environment/audit.ts';
import { withConnections } from '../../environment/fleet.ts';
import { withLock } from '../../environment/lock.ts';
import { Failure } from '../../errors.ts';
import { duration } from '../../format.ts';
import type { Change } from '../../host/change.ts';
import { converge } from '../../host/converge.ts';
import type { Resource } from '../../host/resource.ts';
import { agentResources } from '../../roles/agent.ts';
import { REDIS_PORT } from '../../roles/hub.ts';
import { type Connection, publicAddress } from '../../ssh/connection.ts';
import { agentConfig, rolesOf } from '../../watching/desired.ts';
import { type HubInputs, hubInputs, hubState } from '../../watching/hub-state.ts';
import {
  agentSays,
  askHub,
  dashboardUrl,
  findMonitor,
  groupsOf,
  type HubStatus,
  type MonitorPlace,
} from '../../watching/place.ts';
import {
  findPrograms,
  nodePath,
  type Programs,
  prunePrograms,
  sendPrograms,
} from '../../watching/programs.ts';
import { hostFailure, type Reached, reach } from '../../watching/reach.ts';
import { type MonitorSecrets, monitorSecrets } from '../../watching/secrets.ts';
import { changeEntries, changeSummary, type HostChanges } from '../changes.ts';
import type { Handler, Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { counted } from '../output.ts';

/** How long a host may take until its first sample arrives. */
const HEARD_MS = 30_000;
/** What the hub answers to `first`. The password is there where the user was made just now. */
interface First extends HubStatus {
  readonly user?: string;
  readonly password?: string;
}

interface Done extends HostChanges {
  readonly connection: Connection;
  readonly failure?: Failure | undefined;
}

export const monitorSetup: Handler<typeof definitions.monitorSetup> = async (options, session) => {
  const { output, context } = session;
  const started = performance.now();
  const place = await findMonitor(options.inventory, session);
  const { inventory, monitor } = place;
  const { targets, leftOut } = inventory;
  for (const { why } of leftOut) output.line(`Not watched: ${why}.`);
  requireNames(targets.map(({ name }) => name));
  const inputs = await hubInputs(place.config, context.env);
  const { done, first } = await withConnections(targets, context, async (connections) => {
    const of = (target: (typeof targets)[number]) => connections.find((one) => one.target === target);
    const keeper = of(inventory.lockKeeper);
    const hub = of(monitor);
    if (keeper === undefined || hub === undefined) throw new Error('every target has a connection');
    // Reads only, so it need not wait for the lock.
    const reached = reach(publicAddress(monitor), connections, context);
    reached.catch(() => {});
    return withLock(
      keeper,
      { command: 'pipeline monitor setup', wait: options.wait },
      context,
      async (locked) => setUp({ ...place, inputs }, hub, await reached, { ...session, context: locked }),
    );
  });
  const url = dashboardUrl(place);
  const time = duration(performance.now() - started);
  const entries = changeEntries({ changes: [] }, done);
  const failed = done.flatMap(({ host, failure }) => (failure === undefined ? [] : [{ host, failure }]));
  if (entries.length === 0 && failed.length === 0)
    output.line(`Nothing to change on ${counted(targets.length, 'host')} (${time}).`);
  else if (entries.length > 0) output.line(`Ready in ${time}. ${changeSummary(entries)}.`);
  output.line(`Dashboard: ${url}`);
  if (failed.length > 0) throw notAll(failed, targets.length);
  return {
    json: {
      dashboard: url,
      changes: entries,
      changed: entries.length,
      hosts: targets.map(({ name }) => name),
      ...(first.password === undefined ? {} : { user: first.user, password: first.password }),
    },
  };
};

function notAll(failed: readonly { host: string; failure: Failure }[], all: number): Failure {
  const [one] = failed;
  const names = failed.map(({ host }) => host).join(', ');
  const others = all - failed.length;
  return new Failure(
    'host',
    `${names} could not be set up; the other ${counted(others, 'host')} ${others === 1 ? 'is' : 'are'} watched`,
    {
      host: one?.host,
      step: one?.failure.step,
      output: failed.flatMap(({ host, failure }) => [
        failure.message.startsWith(host) ? failure.message : `${host}: ${failure.message}`,
        ...failure.output,
      ]),
      next: one?.failure.next ?? 'Mend it, then run the command again: it goes on from here.',
    },
  );
}

async function setUp(
  place: MonitorPlace & { readonly inputs: HubInputs },
  hub: Connection,
  reached: readonly Reached[],
  session: Session,
): Promise<{ done: readonly Done[]; first: First }> {
  const { context } = session;
  const unreached = reached.find(({ connection }) => connection === hub)?.failure;
  if (unreached !== undefined) throw unreached;
  const [secrets, programs] = await Promise.all([monitorSecrets(hub, context), findPrograms(context)]);
  const fleet = [...new Set(reached.flatMap(({ addresses }) => addresses))].sort();
  const node = nodePath(programs.node);
  const parts = { ...place.inputs, secrets, fleet, node, program: programs.hub.to };
  // The usual case is that nothing is to do: then this answer, which takes Node half a second to give, is as good as a later one.
  const asked = askFirst(hub, session).catch(() => undefined);
  const hubPart = await hubState(place, parts, hub, context);
  const done = await Promise.all(
    reached.map(async ({ connection, failure }): Promise<Done> => {
      const host = connection.target.name;
      const isMonitor = connection === hub;
      context.progress({ host, stage: 'monitor', state: 'started' });
      try {
        if (failure !== undefined) throw failure;
        const own = { ...place, secrets, programs, hubPart: isMonitor ? hubPart : [] };
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
    }),
  );
  const early = await asked;
  const first =
    early !== undefined && done.every(({ changes }) => changes.length === 0)
      ? early
      : { ...early, ...(await askFirst(hub, session)) };
  return { done: await waitUntilHeard(hub, done, first, session), first };
}

/** Says the password of a first user at once: whatever fails after this, it cannot be shown again. */
async function askFirst(hub: Connection, session: Session): Promise<First> {
  const first = (await askHub(hub, ['first'], session, { secretOutput: true })) as First;
  const { output } = session;
  if (first.password !== undefined) {
    output.line(`Sign in as ${first.user} with the password ${output.colors.bold(first.password)}`);
    output.line(
      'It is shown this once and kept nowhere. Another one: pipeline monitor users set admin --admin',
    );
  }
  return first;
}

interface HostParts extends MonitorPlace {
  readonly secrets: MonitorSecrets;
  readonly programs: Programs;
  readonly hubPart: readonly Resource[];
}

/** @returns what was changed */
async function setUpHost(
  connection: Connection,
  { config, inventory, monitor, secrets, programs, hubPart }: HostParts,
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
 * Waits for the first sample of each host that was set up, and for the dashboard. A host that stays away gets what its agent says as its failure.
 * @throws Failure `host` where the dashboard does not come
 */
async function waitUntilHeard(
  hub: Connection,
  done: readonly Done[],
  first: HubStatus,
  session: Session,
): Promise<readonly Done[]> {
  const { context } = session;
  const begun = performance.now();
  const missing = ({ now, hosts }: HubStatus) =>
    done.filter(({ host, failure }) => failure === undefined && now - (hosts[host]?.at ?? 0) > HEARD_MS / 2);
  let status = first;
  const waits = () => missing(status).length > 0 || !status.answers;
  if (!waits()) return done;
  context.progress({ stage: 'first samples', state: 'started' });
  while (waits() && performance.now() - begun < HEARD_MS) {
    await sleep(500, undefined, { signal: context.signal });
    status = (await askHub(hub, ['status'], session)) as HubStatus;
  }
  context.progress({ stage: 'first samples', state: waits() ? 'failed' : 'done' });
  if (!status.answers) {
    throw new Failure('host', 'the dashboard does not answer', {
      host: hub.target.name,
      next: `See journalctl -u pipeline-hub on ${hub.target.name}, mend what it says, then run the command again.`,
    });
  }
  const silent = missing(status);
  return Promise.all(
    done.map(async (one) => {
      if (!silent.includes(one)) return one;
      const { host, connection } = one;
      const failure = new Failure('host', `${host} sends no samples`, {
        host,
        output: [`  its agent says: ${await agentSays(connection, session)}`],
        next: `If it cannot reach port ${REDIS_PORT} of the monitor, say "monitor:" in pipeline.yml and run pipeline prod up, which opens the firewall. More: journalctl -u pipeline-agent on ${host}`,
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
    throw new Failure('usage', `the monitor cannot watch a host that is called "${wrong}"`, {
      next: 'Use letters, digits, dots, dashes and underscores in the inventory.',
    });
}
