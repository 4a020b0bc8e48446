/** A rollout as the operator sees it and speaks to it, over the host that carries it on. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.ts';
import { ONHOST } from '../contract/places.ts';
import {
  hasEnded,
  type RolloutStatus,
  type RolloutWord,
  rolloutFolder,
  rolloutUnit,
} from '../contract/rollout.ts';
import { whoami } from '../environment/audit.ts';
import { asFailure, Failure } from '../errors.ts';
import { quote } from '../ssh/quote.ts';
import type { FrontFacts } from './front/front.ts';
import { lookAt, type SeenHost } from './look/look.ts';
import { programCommand } from './send/program.ts';
import { runOrder } from './send/run.ts';
import type { AppOnHosts, ReleaseHost } from './types.ts';

/** How often a connection that broke is made again before the view gives up. */
const TRIES = 5;
const PAUSE_MS = 3000;
/** Draining the version that leaves is most of it. */
const END_MS = 30 * 60_000;
/** Longer than anybody looks; a timer takes no more than 24 days. */
const VIEW_MS = 20 * 86_400_000;

/** Whether one is under way, or was and has left something on a host or its balancer. */
export function hasRollout(hosts: readonly SeenHost[], { balancers }: FrontFacts): boolean {
  return hosts.some(({ facts }) => facts.rollout) || balancers.some(({ rollout }) => rollout === true);
}

/** The host that divides the visitors. @throws Failure kind `usage`: there is none. */
export function dividerOf({ app, hosts, balancers = [] }: AppOnHosts): ReleaseHost {
  const [divider] = hosts.length > 1 ? balancers : hosts;
  if (divider !== undefined) return divider;
  throw new Failure('usage', `${app} has several hosts, and no balancer divides their visitors`, {
    next: 'Name one host as its balancer: site: balancer:',
  });
}

/**
 * Ends on every host what a balancer has decided.
 * @param known what the host that divides has just said; absent: it is asked.
 * @returns whether nothing of a rollout is left; false: one is under way.
 */
export async function clearRollout(
  request: AppOnHosts,
  context: Context,
  known?: RolloutStatus,
): Promise<boolean> {
  const { app, hosts } = request;
  const divider = dividerOf(request);
  const status = known ?? (await rolloutStatus(divider, app, context));
  if (status === undefined || !hasEnded(status.phase)) return false;
  if (hosts.length > 1) for (const host of [...hosts, divider]) await endOn(host, app, status, context);
  return true;
}

/** What hosts know, once an ended rollout is cleared up. @throws Failure kind `locked`: one is under way. */
export async function lookAfterRollouts(
  found: readonly SeenHost[],
  front: FrontFacts,
  request: AppOnHosts,
  context: Context,
): Promise<readonly SeenHost[]> {
  const { app, hosts } = request;
  if (!hasRollout(found, front)) return found;
  if (await clearRollout(request, context)) return lookAt(app, hosts, context);
  throw new Failure('locked', `${app}: a rollout is under way`, {
    next: `See it with pipeline rollout watch ${app}; end it with pipeline rollout promote ${app}, or abort.`,
  });
}

async function endOn(host: ReleaseHost, app: string, status: RolloutStatus, context: Context): Promise<void> {
  const run = {
    label: `end the rollout of ${app}`,
    order: { verb: 'end-rollout', app, status } as const,
    program: 'current',
    timeoutMs: END_MS,
    secrets: [],
    subject: `${app} ${status.candidate.release}`,
    next:
      `Visitors get ${status.phase === 'promoted' ? 'the new' : 'the old'} version. Try again: pipeline ` +
      `rollout status ${app}`,
  };
  await runOrder(host, run, context);
}

/** The newest rollout of an application; undefined: there never was one. */
export async function rolloutStatus(
  host: ReleaseHost,
  app: string,
  context: Context,
): Promise<RolloutStatus | undefined> {
  const script = `[ -e ${quote(`${ONHOST}/current`)} ] || exit 0
exec ${command(app, 'status')}`;
  const text = await host.connection.check(script, { label: `rollout of ${app}`, signal: context.signal });
  return parseStatus(text);
}

/** It with all of its evidence, for `pipeline judge`: a JSON text; undefined: there never was one. */
export async function rolloutReport(
  host: ReleaseHost,
  app: string,
  context: Context,
): Promise<string | undefined> {
  const label = `evidence of the rollout of ${app}`;
  const text = await host.connection.check(`exec ${command(app, 'report')}`, {
    label,
    signal: context.signal,
  });
  return text.trim() === '' ? undefined : text.trim();
}

/**
 * Shows it until it has ended or waits for a person. What goes on does so with nobody looking: a connection
 * that breaks is made again, and Ctrl-C ends the view alone.
 * @returns the last status; undefined: there never was one.
 * @throws Failure kind `host` where the host cannot be reached any more.
 */
export async function followRollout(
  host: ReleaseHost,
  app: string,
  context: Context,
  onStatus: (status: RolloutStatus) => void,
): Promise<RolloutStatus | undefined> {
  let last: RolloutStatus | undefined;
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  for (let tries = 0; ; tries++) {
    try {
      await host.connection.script(`exec ${command(app, 'follow')}`, {
        label: `watch the rollout of ${app}`,
        timeoutMs: VIEW_MS,
        signal,
        onStdout: (line) => {
          const status = parseStatus(line);
          if (status === undefined) return;
          tries = 0;
          last = status;
          onStatus(status);
          if (status.phase === 'held') stop.abort();
        },
      });
      return last;
    } catch (error) {
      if (stop.signal.aborted) return last;
      context.signal.throwIfAborted();
      if (tries >= TRIES) throw lost(host, app, error);
      await sleep(PAUSE_MS, undefined, { signal: context.signal });
    }
  }
}

/** @throws Failure kind `usage`: none is under way. */
export async function tellRollout(
  host: ReleaseHost,
  app: string,
  word: RolloutWord,
  context: Context,
  by = whoami(context),
): Promise<void> {
  const script = `[ -e ${quote(`${rolloutFolder(app)}/order.json`)} ] || exit 1
exec ${command(app, word)} ${quote(by)}`;
  const { exitCode, stderr } = await host.connection.script(script, {
    label: `${word} the rollout of ${app}`,
    signal: context.signal,
  });
  if (exitCode === 0) return;
  if (stderr.trim() === '') {
    throw new Failure('usage', `${app}: no rollout is under way`, {
      next:
        `Begin one with pipeline deploy ${app} REF --canary; pipeline rollout status ${app} shows the ` +
        'last one.',
    });
  }
  throw new Failure('host', `${host.name}: the rollout of ${app} cannot be told`, {
    host: host.name,
    output: stderr.trim().split('\n').slice(-5),
    next: `See what its unit says: pipeline prod ssh ${host.name} -- journalctl -u ${rolloutUnit(app)} -n 50`,
  });
}

function command(app: string, what: string): string {
  return `${programCommand('current')} rollout ${quote(app)} ${what}`;
}

function parseStatus(text: string): RolloutStatus | undefined {
  const line = text.split('\n', 1)[0] ?? '';
  return line.startsWith('{') ? (JSON.parse(line) as RolloutStatus) : undefined;
}

function lost(host: ReleaseHost, app: string, cause: unknown): Failure {
  const { message } = asFailure(cause);
  return new Failure('host', `the view of the rollout is lost: ${message}`, {
    host: host.name,
    next: `The host goes on by itself, also after a reboot. Look again with pipeline rollout watch ${app}`,
    cause,
  });
}
