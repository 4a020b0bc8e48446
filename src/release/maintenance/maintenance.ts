/** Closes the site of an application for visitors, and opens it again: on all hosts, without a reload. */
import { appNamed } from '../../build/build.ts';
import type { Context } from '../../context.ts';
import { audit, whoami } from '../../environment/audit.ts';
import { Failure } from '../../errors.ts';
import { duration } from '../../format.ts';
import { RETRY_SECONDS } from '../../proxy/maintenance.ts';
import { PROXY_FUNCTIONS } from '../../proxy/scripts.ts';
import { withValues } from '../../ssh/script.ts';
import { lookAtFront } from '../front/front.ts';
import { lookAt } from '../look/look.ts';
import { planRelease } from '../plan/plan.ts';
import { lookAfterRollouts } from '../rollout.ts';
import { carryOut } from '../send/carry-out.ts';
import { ready } from '../send/prepare.ts';
import type { AppOnHosts, ReleaseHost } from '../types.ts';
import close from './close.sh' with { type: 'text' };
import open from './open.sh' with { type: 'text' };
import { closedPage } from './page.ts';

/** Data change places within seconds. */
const RESTORE_RETRY_SECONDS = 10;

export interface MaintenanceResult {
  readonly app: string;
  readonly closed: boolean;
  /** Some host was open before, or closed. */
  readonly changed: boolean;
  readonly hosts: readonly string[];
  /** When visitors are told to come again; ISO 8601; null: in five minutes, always. */
  readonly until: string | null;
}

/**
 * The caller holds the lock.
 * @param forMs how long it is expected to take, for visitors; it does not end by itself.
 * @throws Failure kind `usage`: a host has no site of it
 */
export async function closeSite(
  request: AppOnHosts,
  forMs: number | undefined,
  context: Context,
): Promise<MaintenanceResult> {
  const { app, config, hosts } = request;
  const page = await closedPage(app, appNamed(config, app), config.directory);
  const now = context.now();
  const until = forMs === undefined ? undefined : new Date(now.getTime() + forMs);
  const by = request.by ?? whoami(context);
  const info = JSON.stringify({ since: now.toISOString(), by, until: until?.toISOString() ?? null });
  const retry = until?.toUTCString() ?? String(RETRY_SECONDS);
  const script = `${PROXY_FUNCTIONS}\n${withValues(close, { app, page, retry, info, yield: '' })}`;
  const all = () => onEach(hosts, `close the site of ${app}`, script, context);
  const first = await all();
  const none = first.find(({ said }) => said === 'none');
  if (none !== undefined) throw nothingThere(app, none.host);
  const old = first.some(({ said }) => said === 'old');
  if (old) await renewSites(request, by, context);
  const said = old ? await all() : first;
  const message = forMs === undefined ? 'on' : `on for ${duration(forMs)}`;
  await tell(request, by, message, context);
  return result(request, true, said.some((one) => one.said !== 'closed') || old, until);
}

/** The caller holds the lock. */
export async function openSite(request: AppOnHosts, context: Context): Promise<MaintenanceResult> {
  const { app, hosts } = request;
  const script = `${PROXY_FUNCTIONS}\n${withValues(open, { app, note: '' })}`;
  const said = await onEach(hosts, `open the site of ${app}`, script, context);
  const changed = said.some((one) => one.said === 'closed');
  if (changed) await tell(request, request.by ?? whoami(context), 'off', context);
  return result(request, false, changed, undefined);
}

/** In what a site says of its closing, while a restore has closed it. */
const RESTORES = '"for":"restore"';

/**
 * Closes the site while the application stands still for a restore; where somebody has closed it, or there is
 * none, it stays as it is.
 */
export async function closeForRestore(request: AppOnHosts, context: Context): Promise<void> {
  const { app, config, hosts } = request;
  const page = await closedPage(app, appNamed(config, app), config.directory);
  const by = request.by ?? whoami(context);
  const info = JSON.stringify({ since: context.now().toISOString(), by, until: null, for: 'restore' });
  const retry = String(RESTORE_RETRY_SECONDS);
  const script = `${PROXY_FUNCTIONS}\n${withValues(close, { app, page, retry, info, yield: '1' })}`;
  const all = () => onEach(hosts, `close the site of ${app}`, script, context);
  if (!(await all()).some(({ said }) => said === 'old')) return;
  await renewSites(request, by, context);
  await all();
}

/** Opens what `closeForRestore` closed. */
export async function openAfterRestore({ app, hosts }: AppOnHosts, context: Context): Promise<void> {
  const script = `${PROXY_FUNCTIONS}\n${withValues(open, { app, note: RESTORES })}`;
  await onEach(hosts, `open the site of ${app}`, script, context);
}

function result(
  { app, hosts }: AppOnHosts,
  closed: boolean,
  changed: boolean,
  until: Date | undefined,
): MaintenanceResult {
  const names = hosts.map(({ name }) => name);
  return { app, closed, changed, hosts: names, until: until?.toISOString() ?? null };
}

async function onEach(
  hosts: readonly ReleaseHost[],
  label: string,
  script: string,
  context: Context,
): Promise<readonly { readonly host: string; readonly said: string }[]> {
  return Promise.all(
    hosts.map(async ({ name, connection }) => {
      const text = await connection.check(script, { label, signal: context.signal });
      return { host: name, said: text.trim() };
    }),
  );
}

/** An earlier version of pipeline wrote the site, which does not know how to be closed. */
async function renewSites(request: AppOnHosts, by: string, context: Context): Promise<void> {
  const { app, config } = request;
  const definition = appNamed(config, app);
  const [before, front] = await Promise.all([
    lookAt(app, request.hosts, context),
    lookAtFront(request, definition, context, 'back'),
  ]);
  const hosts = await lookAfterRollouts(before, front, request, context);
  const plan = planRelease({ action: 'maintenance', app, by, definition }, { hosts, front });
  for (const planned of plan.hosts) await ready(planned, undefined, context);
  await carryOut(plan, context);
}

async function tell(
  { app, hosts }: AppOnHosts,
  by: string,
  message: string,
  context: Context,
): Promise<void> {
  const line = { at: context.now().toISOString(), by, action: 'maintenance', result: 'done', app, message };
  await Promise.all(hosts.map(({ connection }) => audit(connection, line, context)));
}

function nothingThere(app: string, host: string): Failure {
  return new Failure('usage', `${app} has no site on ${host}`, { next: `Deploy it: pipeline deploy ${app}` });
}
