/** DigitalOcean droplets as a provider. */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import type { connect } from '../../ssh/openssh.ts';
import type { CloudPlan, EnvironmentSpec, Machine, Provider } from '../provider.ts';
import { createApi } from './api/api.ts';
import { type Clock, systemClock } from './api/clock.ts';
import { createTransport } from './api/transport.ts';
import { applyPlan } from './apply/apply.ts';
import { destroy, destroyable } from './apply/destroy.ts';
import { removeDroplets } from './apply/remove-droplets.ts';
import { moveReserved, noteReserved, pendingMoves } from './apply/reserved.ts';
import type { Work } from './apply/work.ts';
import { openSshHost } from './hosts/host.ts';
import { matchDroplets } from './plan/fleet.ts';
import { toMachine } from './plan/machines.ts';
import { marksOf } from './plan/names.ts';
import type { DigitalOceanPlan } from './plan/operations.ts';
import { planDigitalOcean } from './plan/plan.ts';
import { isOurs, survey } from './plan/survey.ts';

export interface DigitalOceanOptions {
  readonly token: string;
  /** Default https://api.digitalocean.com. */
  readonly apiUrl?: string | undefined;
  /** For tests: another clock. */
  readonly clock?: Clock | undefined;
  /** For tests: another way to droplets than the OpenSSH client. */
  readonly connect?: typeof connect | undefined;
  /** Milliseconds until a call is given up. Default 30 000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * The provider for one environment. Makes no call yet.
 * @throws Failure `usage` where the token or the address cannot be one
 */
export function createDigitalOceanProvider(
  context: Context,
  spec: EnvironmentSpec,
  options: DigitalOceanOptions,
): Provider {
  // Every call and every wait listens to it, and for a large fleet these are many; Node would warn of a leak.
  setMaxListeners(0, context.signal);
  const clock = options.clock ?? systemClock();
  const transport = createTransport(context, { ...options, clock });
  const api = createApi(transport);
  const knownHosts = join(spec.directory, '.pipeline', `first-contact.${spec.environment}`);
  const { connect } = options;
  const openHost = openSshHost({ context, clock, knownHosts, connect, authorizedKeys: spec.authorizedKeys });
  const work: Work = { context, spec, marks: marksOf(spec), api, clock, openHost };

  const plan = async (): Promise<DigitalOceanPlan> => {
    const planned = planDigitalOcean(await survey(api, spec), spec);
    return { ...planned, changes: [...planned.changes, ...(await pendingMoves(work))] };
  };
  return {
    name: 'digitalocean',
    plan,
    async apply(given) {
      await applyPlan(work, isOwnPlan(given) ? given : await plan());
      return wantedMachines(work);
    },
    machines: () => machines(work),
    destroyable: () => destroyable(work),
    remove: (name) => removeNamed(work, name),
    destroy: () => destroy(work),
  };
}

function isOwnPlan(plan: CloudPlan): plan is DigitalOceanPlan {
  return 'operations' in plan;
}

/**
 * What exists, in the configuration's order; what is no longer in it stands at the end, since it costs
 * money all the same.
 */
async function machines({ api, spec, marks }: Work): Promise<readonly Machine[]> {
  const order = new Map(spec.machines.map(({ name }, index) => [name, index]));
  const place = ({ name }: Machine) => order.get(name) ?? order.size;
  const droplets = await api.dropletsWith(marks.environment);
  return droplets
    .filter((droplet) => isOurs(droplet, marks))
    .map((droplet) => toMachine(droplet, spec, marks))
    .sort((a, b) => place(a) - place(b) || a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** Removes the droplets of ours that have this name. */
async function removeNamed(work: Work, name: string): Promise<void> {
  const { api, spec, marks } = work;
  const droplets = await api.dropletsWith(marks.environment);
  const doomed = droplets
    .filter((droplet) => isOurs(droplet, marks) && toMachine(droplet, spec, marks).name === name)
    .map((droplet) => ({ id: droplet.id, name: droplet.name, fresh: false }));
  await noteReserved(
    work,
    name,
    doomed.map(({ id }) => id),
  );
  await removeDroplets(work, doomed);
}

/** What exists and should, once reserved addresses have moved to it. */
async function wantedMachines(work: Work): Promise<readonly Machine[]> {
  const { api, spec, marks } = work;
  const { kept } = matchDroplets(await api.dropletsWith(marks.environment), spec, marks);
  await moveReserved(work, kept);
  return [...kept.values()].map((droplet) => toMachine(droplet, spec, marks));
}
