/**
 * The firewalls of hosts, before a site answers on a port: what visitors do not reach is not live. Ours lets
 * them in as `prod up` would; others' are named.
 */
import type { Exposure } from '../../cloud/provider.ts';
import type { AppConfig } from '../../config/schema.ts';
import type { Context } from '../../context.ts';
import { siteExposures } from '../../environment/environment.ts';
import { Failure } from '../../errors.ts';
import { converge } from '../../host/converge.ts';
import { firewallFile, rulesIn } from '../../host/steps/firewall.ts';
import { closedTo, HOST_TABLE, OTHER_FIREWALLS_SCRIPT, withOpenings } from '../../roles/firewall.ts';
import { withValues } from '../../ssh/script.ts';
import { inStage } from '../send/stage.ts';
import type { AppOnHosts, ReleaseHost } from '../types.ts';
import facts from './firewall-facts.sh' with { type: 'text' };

/** What keeps visitors from a host. */
export interface FirewallFacts {
  /** Rules of our table; undefined: it is not there. */
  readonly rules: string | undefined;
  /** Firewalls of other programs, where ours is not there. */
  readonly others: readonly string[];
  /** Ports where somebody listens, where ours is not there. */
  readonly listening: ReadonlySet<number>;
}

/** What to do about one host's. */
export interface FirewallPlan {
  /** What visitors or the balancer would not get through to. */
  readonly closed: readonly Exposure[];
  /** Our table with those let in; undefined: it is as it should be, or not there. */
  readonly rules: string | undefined;
  /** Firewalls of other programs that somebody else has to open. */
  readonly others: readonly string[];
}

interface Planned {
  readonly host: ReleaseHost;
  readonly plan: FirewallPlan;
}

/** Pure. */
export function planFirewall(
  { rules, others, listening }: FirewallFacts,
  wanted: readonly Exposure[],
): FirewallPlan {
  if (rules === undefined) {
    // Where somebody listens already, visitors were thought of before.
    const closed = others.length === 0 ? [] : wanted.filter(({ port }) => !listening.has(port));
    return { closed, rules: undefined, others: closed.length === 0 ? [] : others };
  }
  const closed = closedTo(rules, wanted);
  return { closed, rules: closed.length === 0 ? undefined : withOpenings(rules, closed), others: [] };
}

/**
 * What the site needs of each host's and balancer's firewall; nothing where the caller leaves them alone.
 * @throws Failure kind `usage` where the cloud has a firewall, too, which only `prod up` opens.
 */
export async function lookAtFirewalls(
  { app, hosts, balancers = [], firewalls }: AppOnHosts,
  definition: AppConfig,
  context: Context,
): Promise<readonly Planned[]> {
  if (firewalls === undefined) return [];
  const wanted = siteExposures(definition);
  const all = [
    ...hosts.map((host) => [host, wanted.hosts] as const),
    ...balancers.map((host) => [host, wanted.balancers] as const),
  ];
  const planned = await Promise.all(
    all.map(async ([host, exposures]) => ({
      host,
      plan: planFirewall(await factsOf(host, app, context), exposures),
    })),
  );
  const [shut] = planned.filter(({ plan }) => plan.rules !== undefined);
  if (shut !== undefined && firewalls === 'cloud') throw needsUp(app, shut);
  return planned;
}

async function factsOf({ connection }: ReleaseHost, app: string, context: Context): Promise<FirewallFacts> {
  const values = { table: HOST_TABLE, file: firewallFile(HOST_TABLE) };
  const script = `${withValues(facts, values)}\n${OTHER_FIREWALLS_SCRIPT}`;
  const options = { label: `look at the firewall for ${app}`, signal: context.signal };
  return parseFirewall(await connection.check(script, options));
}

/** Pure. */
export function parseFirewall(text: string): FirewallFacts {
  const own = 'rules\n';
  if (text.startsWith(own)) {
    return { rules: rulesIn(HOST_TABLE, text.slice(own.length)), others: [], listening: new Set() };
  }
  const lines = text.split('\n').filter((line) => line !== '');
  const ports = lines.flatMap((line) => /^listen (\d+)$/.exec(line)?.[1] ?? []);
  return {
    rules: undefined,
    others: lines.filter((line) => !line.startsWith('listen ')),
    listening: new Set(ports.map(Number)),
  };
}

function needsUp(app: string, { host, plan: { closed } }: Planned): Failure {
  return new Failure(
    'usage',
    `${app}: the firewalls of ${host.name} and of its cloud are closed on ${portsOf(closed)}`,
    { host: host.name, next: 'Open them with pipeline prod up, then run the command again.' },
  );
}

/**
 * Lets visitors in, guarded as in `prod up`, and names the firewalls that are none of ours.
 * @returns whether anything changed.
 */
export async function openFirewalls(planned: readonly Planned[], context: Context): Promise<boolean> {
  const opening = planned.map(async ({ host, plan: { closed, rules, others } }) => {
    if (others.length > 0) {
      const to = portsOf(closed);
      const detail = `let visitors through ${others.join(' and ')} to ${to}: it is not pipeline's`;
      context.progress({ host: host.name, stage: 'firewall', state: 'skipped', detail });
    }
    if (rules === undefined) return false;
    await inStage(host, 'firewall', context, () =>
      converge(host.connection, [{ kind: 'firewall', table: HOST_TABLE, rules }], context),
    );
    return true;
  });
  return (await Promise.all(opening)).includes(true);
}

function portsOf(closed: readonly Exposure[]): string {
  const ports = closed.map(({ port }) => port);
  return `port${ports.length > 1 ? 's' : ''} ${ports.join(', ')}`;
}
