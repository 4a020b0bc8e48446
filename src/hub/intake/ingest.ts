/**
 * From inboxes to the store. One hub at a time does this; every window is written together with its position,
 * so each counts once.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Window } from '../../metrics/catalogue.ts';
import { mean } from '../../metrics/merge.ts';
import { TIERS } from '../../metrics/tiers.ts';
import { RateLimit } from '../access/rate-limit.ts';
import type { HubEvent } from '../api-types.ts';
import { recordAudit, recordServing } from '../events/events.ts';
import { recordRollouts } from '../events/rollouts.ts';
import * as keys from '../store/keys.ts';
import { isFull, type Redis } from '../store/redis.ts';
import { HOST_TABLES, readWindows, reopen, take } from '../store/windows.ts';
import { type Admission, admit, NOWHERE, type Position } from './admit.ts';
import { type HostState, newHost, recall, remember, setSpark } from './fleet.ts';
import { changeOfRelease, servingReleases } from './serving.ts';

export interface IngestOptions {
  readonly hosts: readonly string[];
  /** For commands. */
  readonly redis: Redis;
  /** For reading inboxes and for what is written of them alone: the transaction watches the lease. */
  readonly reader: Redis;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  readonly now?: () => number;
}

/** Hears of a window that was stored, with its routes summed up by application, and as it came. */
export type Listener = (host: HostState, window: Window, whole: Window) => void;

interface InboxEntry {
  readonly id: string;
  readonly message: Record<string, string>;
}
type Transaction = ReturnType<Redis['multi']>;

const BLOCK_MS = 1000;
/**
 * Entries of a host, and of all, in one read: a backlog is worked off in several, each far shorter than the
 * lease.
 */
const BATCH = 64;
const MOST_AT_ONCE = 1000;
const OPENED_AT_ONCE = 16;
const APPS_OF_HOST = 200;
/** Reads are this far apart, so that a busy fleet costs ten reads a second. */
const PAUSE_MS = 100;
const LEASE_MS = 10_000;
const OCCASIONAL = ['checks', 'stores', 'certificates', 'backups'] as const;
/** An agent sends about a thousand old lines when it starts. */
const AUDIT_LINES_AN_HOUR = 5000;

export class Ingest {
  readonly fleet: ReadonlyMap<string, HostState>;
  /** Why nothing is taken in now; empty where it is. */
  trouble = '';
  /** Another hub takes the samples in. */
  standby = false;
  readonly #options: IngestOptions;
  readonly #now: () => number;
  readonly #id = randomUUID();
  readonly #listeners = new Set<Listener>();
  readonly #eventListeners = new Set<(event: HubEvent) => void>();
  readonly #auditLines = new RateLimit(AUDIT_LINES_AN_HOUR, 3_600_000);
  #live = new Map<string, string>();
  /** The hosts of each application, and how many applications each host has named. */
  readonly #served = new Map<string, Set<string>>();
  readonly #named = new Map<string, number>();
  #seen = new Set<string>();

  constructor(options: IngestOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.fleet = new Map(options.hosts.map((name) => [name, newHost(name)]));
  }

  /** @returns a function that stops listening */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Hosts on which an application was seen. */
  hostsOf(app: string): readonly string[] {
    return [...(this.#served.get(app) ?? [])];
  }

  /** Every application that was seen, and where. */
  apps(): ReadonlyMap<string, readonly string[]> {
    return new Map([...this.#served].map(([app, hosts]) => [app, [...hosts]]));
  }

  /** Hears of events that are new or changed. */
  listenToEvents(listener: (event: HubEvent) => void): void {
    this.#eventListeners.add(listener);
  }

  /**
   * Until the signal. Redis that goes away is waited for; what waits in the inboxes is taken when it is back.
   */
  async run(): Promise<void> {
    const { signal, log } = this.#options;
    let opened = false;
    while (!signal.aborted) {
      try {
        this.standby = !(await this.#lead());
        if (this.standby) {
          this.#say('another hub takes the samples in');
          opened = false;
          await sleep(2000, undefined, { signal });
          continue;
        }
        if (!opened) await this.#open();
        opened = true;
        if (this.trouble !== '') log('Samples are taken in again.');
        this.trouble = '';
        if (!(await this.#read())) await sleep(PAUSE_MS, undefined, { signal });
      } catch (error) {
        if (signal.aborted) break;
        this.#say(isFull(error) ? 'Redis is full' : (error as Error).message);
        opened = false;
        await sleep(500, undefined, { signal }).catch(() => {});
      }
    }
    const { redis } = this.#options;
    if ((await redis.get(keys.LEADER).catch(() => null)) === this.#id) await redis.del(keys.LEADER);
  }

  #say(trouble: string): void {
    if (trouble !== this.trouble) this.#options.log(`No samples are taken in: ${trouble}.`);
    this.trouble = trouble;
  }

  /** Takes or renews the lease: of two hubs, one ingests. */
  async #lead(): Promise<boolean> {
    const { reader } = this.#options;
    const taken = await reader.set(keys.LEADER, this.#id, {
      condition: 'NX',
      expiration: { type: 'PX', value: LEASE_MS },
    });
    if (taken !== null) return true;
    if ((await reader.get(keys.LEADER)) !== this.#id) return false;
    await reader.pExpire(keys.LEADER, LEASE_MS);
    return true;
  }

  /** What the last hub knew: positions, open roll-ups, the last hour of each host. */
  async #open(): Promise<void> {
    const { redis } = this.#options;
    const [served, positions, live, seen] = await Promise.all([
      redis.sMembers(keys.SERVED),
      redis.hGetAll(keys.POSITIONS),
      redis.hGetAll(keys.LIVE_RELEASES),
      redis.sMembers(keys.SEEN_RELEASES),
    ]);
    this.#live = new Map(Object.entries(live));
    this.#seen = new Set(seen);
    for (const pair of served) {
      const at = pair.lastIndexOf(' ');
      if (this.fleet.has(pair.slice(at + 1))) this.#serve(pair.slice(0, at), pair.slice(at + 1));
    }
    const hosts = [...this.fleet.values()];
    for (let i = 0; i < hosts.length; i += OPENED_AT_ONCE) {
      const some = hosts.slice(i, i + OPENED_AT_ONCE);
      await Promise.all(some.map((host) => this.#openHost(host, positions[host.name])));
      if (!(await this.#lead())) throw new Error('another hub takes the samples in');
    }
  }

  async #openHost(host: HostState, position: string | undefined): Promise<void> {
    const { redis } = this.#options;
    const now = this.#now();
    host.position = position === undefined ? NOWHERE : (JSON.parse(position) as Position);
    host.open = await reopen(redis, host.name, now);
    const [raw, minute] = TIERS;
    if (raw === undefined || minute === undefined || host.recent.length > 0) return;
    const hour = { from: now - 3_700_000, to: now };
    const past = await readWindows(redis, minute, 'host', host.name, hour, ['system', ...OCCASIONAL]);
    for (const window of past) {
      const cpu = mean(window.system[0]?.cpu ?? null);
      if (cpu !== null) setSpark(host.spark, window.at, cpu);
    }
    recall(host, [...past, ...[host.open[0]?.window() ?? []].flat()]);
    const recent = { from: now - 120_000, to: now };
    for (const window of await readWindows(redis, raw, 'host', host.name, recent, HOST_TABLES))
      remember(host, window, window.at);
  }

  /** @returns whether more may wait */
  async #read(): Promise<boolean> {
    const { reader, signal } = this.#options;
    const hosts = [...this.fleet.values()];
    if (hosts.length === 0) {
      await sleep(BLOCK_MS, undefined, { signal });
      return false;
    }
    const count = Math.max(1, Math.min(BATCH, Math.floor(MOST_AT_ONCE / hosts.length)));
    const streams = hosts.map(({ name, position }) => ({ key: keys.inbox(name), id: position.id }));
    const reply = (await reader.xRead(streams, { BLOCK: BLOCK_MS, COUNT: count })) as
      | { name: string; messages: InboxEntry[] }[]
      | null;
    if (reply === null) return false;
    // Whoever was away for so long that another hub took over writes nothing: nothing counts twice.
    await reader.watch(keys.LEADER);
    if ((await reader.get(keys.LEADER)) !== this.#id) throw new Error('another hub takes the samples in');
    const multi = reader.multi();
    const done: (() => Promise<void>)[] = [];
    for (const { name, messages } of reply) {
      const host = this.fleet.get(name.slice(3, -8));
      if (host !== undefined) done.push(...(await this.#take(host, messages, multi)));
    }
    await multi.exec();
    // From here on it is so, also if this hub ends now.
    for (const note of done) await note();
    return reply.some(({ messages }) => messages.length === count);
  }

  /**
   * Writes what a host sent, together with its place in the inbox, into the transaction. A failure after this
   * makes the hub read again what is stored, since the open roll-ups have grown.
   * @returns what to do once it is stored
   */
  async #take(host: HostState, messages: readonly InboxEntry[], multi: Transaction) {
    const now = this.#now();
    const done: (() => Promise<void>)[] = [];
    let position = host.position;
    for (const entry of messages) {
      const admission = admit(host.name, entry, position, now);
      if (admission.kind === 'blocked') {
        multi.del(keys.inbox(host.name)).hDel(keys.POSITIONS, host.name);
        const reason = 'its id lies in the future, which blocks the inbox: the inbox was emptied';
        done.push(async () => {
          host.position = { ...position, id: '0-0' };
          this.#refuse(host, reason);
        });
        return done;
      }
      // An agent that begins measures everything, and nothing that it was told to measure no more.
      const began = admission.position.instance !== position.instance;
      position = admission.position;
      if (admission.kind === 'refused') done.push(async () => this.#refuse(host, admission.reason));
      if (admission.kind !== 'window') continue;
      // Before the sample counts as taken: after a crash in between, its lines come again and are known.
      await this.#noteEvents(host, admission, now);
      const window = { ...admission.window, audit: [], rollouts: [] };
      for (const app of new Set(window.routes.map((row) => row.app)))
        if (this.#serve(app, host.name)) multi.sAdd(keys.SERVED, `${app} ${host.name}`);
      const { entries, summed } = take(window, host.open, entry.message, this.#named.has(host.name));
      const closes = entries.length > 3;
      for (const { key, at, fields, keepFrom } of entries) {
        const TRIM = { strategy: 'MINID', strategyModifier: '~', threshold: keepFrom } as const;
        multi.xAdd(key, `${at}-0`, fields, { TRIM });
        // What a host leaves that is never seen again goes by itself.
        if (closes) multi.pExpire(key, at - keepFrom + 86_400_000);
      }
      done.push(async () => {
        if (began) host.rowsAt.clear();
        host.lost += admission.lost;
        await this.#noteReleases(host.name, window);
        remember(host, summed, now);
        for (const listener of this.#listeners) listener(host, summed, window);
      });
    }
    multi.hSet(keys.POSITIONS, host.name, JSON.stringify(position));
    multi.xTrim(keys.inbox(host.name), 'MINID', nextId(position.id));
    const taken = position;
    done.push(async () => {
      host.position = taken;
    });
    return done;
  }

  /** Rollouts first: what their status tells is more than the lines of the audit log about them. */
  async #noteEvents(
    host: HostState,
    { window, position }: Extract<Admission, { kind: 'window' }>,
    now: number,
  ): Promise<void> {
    const { redis } = this.#options;
    const heard = { host: host.name, heardAt: window.at, aheadMs: position.aheadMs };
    const { news, refusals } = await recordRollouts(redis, window.rollouts, heard);
    for (const refusal of refusals) this.#refuse(host, refusal);
    const audit = this.#allowed(host.name, window.audit, now);
    this.#tell([...news, ...(await recordAudit(redis, host.name, audit, window.at))]);
  }

  /** @returns whether it is new; a host may name only so many applications */
  #serve(app: string, host: string): boolean {
    const hosts = this.#served.get(app) ?? new Set<string>();
    const named = this.#named.get(host) ?? 0;
    if (hosts.has(host) || named >= APPS_OF_HOST) return false;
    this.#served.set(app, hosts.add(host));
    this.#named.set(host, named + 1);
    return true;
  }

  /** Ignores the audit log of a host that floods it, for the rest of the hour. */
  #allowed(host: string, rows: Window['audit'], now: number): Window['audit'] {
    for (const _ of rows) this.#auditLines.count(host, now);
    return rows.length > 0 && this.#auditLines.waitSeconds(host, now) > 0 ? [] : rows;
  }

  #tell(events: readonly HubEvent[]): void {
    for (const event of events) for (const listener of this.#eventListeners) listener(event);
  }

  #refuse(host: HostState, reason: string): void {
    host.refused++;
    if (host.refusal !== reason)
      this.#options.log(`A sample in the inbox of ${host.name} was refused: ${reason}.`);
    host.refusal = reason;
  }

  async #noteReleases(host: string, window: Window): Promise<void> {
    const { redis } = this.#options;
    for (const [app, release] of servingReleases(window)) {
      const key = `${app} ${host}`;
      const before = this.#live.get(key);
      if (before === release) continue;
      const kind = changeOfRelease(before, release, this.#seen);
      await redis.multi().hSet(keys.LIVE_RELEASES, key, release).sAdd(keys.SEEN_RELEASES, release).exec();
      this.#live.set(key, release);
      this.#seen.add(release);
      if (kind !== undefined)
        this.#tell(
          await recordServing(redis, {
            at: window.at,
            kind,
            action: kind,
            app,
            host,
            release,
            previous: before ?? '',
            commit: '',
            by: '',
            result: '',
            text: `${app} ${release} serves`,
          }),
        );
    }
  }
}

function nextId(id: string): string {
  const [ms = '0', n = '0'] = id.split('-');
  return `${ms}-${Number(n) + 1}`;
}
