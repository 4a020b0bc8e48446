/** Whose logs: an application's on its hosts, or a host's. */
import type { AppConfig, Config } from '../../config/schema.ts';
import { inventoryTargets } from '../../environment/inventory-targets.ts';
import { closest, Failure } from '../../errors.ts';
import type { SshTarget } from '../../ssh/connection.ts';
import { hostsOf } from '../app-hosts.ts';
import type { Session } from '../command.ts';

export interface Subject {
  /** Absent: the whole host. */
  readonly app: { readonly name: string; readonly config: AppConfig } | undefined;
  readonly targets: readonly SshTarget[];
  /** Those that only divide its visitors: they have requests, and no process of it. */
  readonly balancers: readonly SshTarget[];
}

/** @throws Failure `usage` where nothing has this name, or the application no such host */
export async function findSubject(
  name: string,
  options: { readonly inventory: string | undefined; readonly host: string | undefined },
  config: Config,
  session: Session,
): Promise<Subject> {
  const inventory = await inventoryTargets(options.inventory, config, session.context);
  const app = config.apps[name];
  if (app === undefined) {
    const target = inventory.targets.find((one) => one.name === name);
    if (target !== undefined) return { app: undefined, targets: [target], balancers: [] };
    const known = [...Object.keys(config.apps), ...inventory.targets.map((one) => one.name)];
    throw unknown(`there is no application and no host "${name}"`, name, known);
  }
  const serving = hostsOf(app.hosts, inventory);
  const fronting = hostsOf(app.site.balancer === undefined ? [] : [app.site.balancer], inventory);
  const only = (all: readonly SshTarget[]) =>
    options.host === undefined ? all : all.filter((one) => one.name === options.host);
  const [targets, balancers] = [only(serving), only(fronting.filter((one) => !serving.includes(one)))];
  if (options.host !== undefined && targets.length + balancers.length === 0) {
    const known = [...serving, ...fronting].map((one) => one.name);
    throw unknown(`${name} has no host "${options.host}"`, options.host, known);
  }
  return { app: { name, config: app }, targets, balancers };
}

function unknown(message: string, word: string, known: readonly string[]): Failure {
  const guess = closest(word, known);
  return new Failure('usage', message, {
    next: guess === undefined ? `Known: ${known.join(', ')}` : `Did you mean ${guess}?`,
  });
}
