/**
 * Looks at everything every second: alerts begin, end and are told. Redis keeps their state; while it is away
 * they are told nevertheless.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type DeployEvent, deployNotice } from '../alerts/deploys.ts';
import { evaluate, resume } from '../alerts/evaluate.ts';
import { findings } from '../alerts/findings.ts';
import { httpAddress } from '../alerts/http-address.ts';
import { Outbox } from '../alerts/outbox.ts';
import { ownFindings } from '../alerts/own-rules/judge.ts';
import { isSilenced, type Silence, silenceOf } from '../alerts/silence.ts';
import type { Taken } from '../alerts/taken.ts';
import type { AlertState, Finding, Notice } from '../alerts/types.ts';
import type { Overview } from './api-types.ts';
import { type ChartSource, usualP90 } from './charts/queries.ts';
import { Trends } from './charts/trends.ts';
import { appNames, appView, hostView } from './charts/view.ts';
import type { HubConfig } from './config.ts';
import { beginSilence, listSilences } from './events/silences.ts';
import { listTaken } from './events/taken.ts';
import type { Ingest } from './intake/ingest.ts';
import { LastMinute } from './last-minute.ts';
import { ALERT_LOG, ALERTS, OUTBOX } from './store/keys.ts';
import { memoryOf } from './store/space.ts';

const LOOK_MS = 1000;
/** Rules of one's own are about a minute: they are asked less often. */
const OWN_MS = 5000;
const WEEK_MS = 7 * 86_400_000;
const HOUR_MS = 3_600_000;

export interface WatchOptions {
  readonly config: HubConfig;
  readonly source: ChartSource;
  readonly ingest: Pick<Ingest, 'fleet' | 'trouble' | 'standby' | 'listen' | 'listenToEvents' | 'apps'>;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  readonly now?: () => number;
}

export class Watch {
  states: readonly AlertState[] = [];
  /** Of whom and what nobody is told. */
  silences: readonly Silence[] = [];
  /** Troubles that somebody takes care of. */
  taken: readonly Taken[] = [];
  readonly #options: WatchOptions;
  readonly #now: () => number;
  readonly #trends = new Trends();
  readonly #lastMinute = new LastMinute();
  #own: { readonly at: number; readonly found: readonly Finding[] } = { at: 0, found: [] };
  readonly #outbox: Outbox;
  readonly #usual = new Map<string, { readonly until: number; readonly p90: number | undefined }>();
  /** The states stored in Redis. */
  #kept: readonly AlertState[] = [];
  /** Events that a notice was sent for. */
  readonly #deploys = new Set<string>();
  #loaded = false;
  #listeningSince: number;
  /** Bytes that Redis holds, and may hold; null where it has no bound or was not asked yet. */
  storage: Overview['storage'] = null;
  #storageAt = 0;
  readonly #running = new Map<string, Promise<unknown>>();
  /** Failures that were logged already. */
  readonly #said = new Set<string>();
  #lastBeat = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#listeningSince = this.#now();
    const { config, signal, log, source } = options;
    this.#outbox = new Outbox({
      targets: config.targets,
      dashboard: config.dashboard,
      signal,
      log,
      keep: (id, text) => {
        void this.#attempt('keep what waits to be sent', async () => {
          if (text === undefined) await source.redis.hDel(OUTBOX, id);
          else await source.redis.hSet(OUTBOX, id, text);
        });
      },
    });
    const hasOwn = Object.keys(config.own).length > 0;
    options.ingest.listen((host, window, whole) => {
      this.#trends.note(host.name, window);
      if (hasOwn) this.#lastMinute.note(host.name, whole);
    });
    const after = config.silenceAfterDeploy;
    if (after !== undefined) options.ingest.listenToEvents((event) => this.#silence(event, after));
    if (config.rules.deploys === 'on')
      options.ingest.listenToEvents((event) => {
        const notice = deployNotice(event, this.#now());
        // The same deploy on another host is the same event.
        if (notice === undefined || this.#deploys.has(event.id)) return;
        this.#deploys.add(event.id);
        if (!isSilenced(this.silences, notice.alert, this.#now())) this.#tell(notice);
      });
  }

  /** The alerts; undefined until those of the hub before are known. */
  get known(): readonly AlertState[] | undefined {
    return this.#loaded ? this.states : undefined;
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      await this.look();
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    }
    await Promise.race([this.settle(), sleep(1000)]);
  }

  /** Waits until everything decided is stored, if Redis accepts it. */
  async settle(): Promise<void> {
    await Promise.all(this.#running.values());
    await this.#attempt('keep the alerts', () => this.#keep());
  }

  /**
   * One look at everything. Redis is never waited for: what it does not answer is left out, what it does not
   * take is written later.
   */
  async look(): Promise<void> {
    const { config, ingest } = this.#options;
    const now = this.#now();
    // Only one of two hubs sends alerts.
    if (ingest.standby) {
      this.#loaded = false;
      return;
    }
    if (!this.#loaded && !(await this.#attempt('load the alerts', () => this.#load(now)))) return;
    // While the hub itself takes nothing in, silent hosts prove nothing.
    if (ingest.trouble !== '') this.#listeningSince = now;
    this.#background('answer', () => this.#refresh(now));
    const view = this.#view(now);
    const found = [...findings(view, config.rules), ...this.#ownFindings(now)];
    const { states, notices } = evaluate(this.states, found, config, now, {
      silences: this.silences,
      taken: this.taken,
    });
    this.states = states;
    for (const notice of notices) this.#tell(notice);
    this.#background('keep the alerts', () => this.#keep());
    this.#beat(now);
  }

  #view(now: number) {
    const { ingest } = this.#options;
    const hosts = [...ingest.fleet.values()];
    const silent = this.states.filter(({ rule, state }) => rule === 'host_silent' && state === 'firing');
    return {
      now,
      listeningSince: this.#listeningSince,
      silentBefore: new Set(silent.map(({ subject }) => subject)),
      hosts: hosts.map((host) => hostView(host, this.#trends.of(host.name, now))),
      apps: appNames(hosts).map((name) => appView(name, hosts, this.#usual.get(name)?.p90, now)),
      storage: this.storage === null ? undefined : this.storage.used / this.storage.limit,
      trouble: ingest.trouble,
    };
  }

  #ownFindings(now: number): readonly Finding[] {
    const { config, ingest } = this.#options;
    if (Object.keys(config.own).length === 0) return [];
    if (now - this.#own.at >= OWN_MS) {
      const minute = this.#lastMinute.at(now, ingest.apps());
      this.#own = { at: now, found: ownFindings(config.own, minute) };
    }
    return this.#own.found;
  }

  /** What a deploy stirs up is told to nobody, unless somebody has said otherwise. */
  #silence(event: DeployEvent, ms: number): void {
    const silence = silenceOf(event, ms, this.#now());
    if (silence === undefined) return;
    const { redis } = this.#options.source;
    void this.#attempt('keep a silence', async () => {
      await beginSilence(redis, silence);
      this.silences = await listSilences(redis, this.#now());
    });
  }

  /** Never starts the same work twice at once. */
  #background(what: string, work: () => Promise<void>): void {
    if (this.#running.has(what)) return;
    const done = this.#attempt(what, work).finally(() => this.#running.delete(what));
    this.#running.set(what, done);
  }

  /** @returns whether it succeeded; each kind of failure is logged once */
  async #attempt(what: string, work: () => Promise<void>): Promise<boolean> {
    const { signal, log } = this.#options;
    try {
      await work();
      this.#said.delete(what);
      return true;
    } catch (error) {
      if (!signal.aborted && !this.#said.has(what))
        log(`Redis does not ${what}: ${(error as Error).message}.`);
      this.#said.add(what);
      return false;
    }
  }

  async #load(now: number): Promise<void> {
    const { redis, hosts } = this.#options.source;
    const [states, waiting, silences] = await Promise.all([
      redis.hGetAll(ALERTS),
      redis.hGetAll(OUTBOX),
      listSilences(redis, now),
    ]);
    this.silences = silences;
    await this.#trends.load(redis, hosts, now);
    this.#kept = Object.values(states).map((text) => JSON.parse(text) as AlertState);
    this.states = resume(this.#kept, hosts, now);
    this.taken = await listTaken(redis, this.#kept);
    this.#outbox.restore(waiting);
    this.#listeningSince = now;
    this.#loaded = true;
  }

  /** Written only where something became something else; `seenAt` alone is no change. */
  async #keep(): Promise<void> {
    const { redis } = this.#options.source;
    const states = this.states;
    const gone = new Map(this.#kept.map((state) => [state.key, state]));
    const changed = states.filter((state) => {
      const old = gone.get(state.key);
      gone.delete(state.key);
      return old?.state !== state.state || old.told !== state.told || old.toldAt !== state.toldAt;
    });
    if (changed.length === 0 && gone.size === 0) return;
    const multi = redis.multi();
    for (const state of changed) multi.hSet(ALERTS, state.key, JSON.stringify(state));
    for (const key of gone.keys()) multi.hDel(ALERTS, key);
    await multi.exec();
    this.#kept = states;
  }

  #tell(notice: Notice): void {
    const { source, log } = this.#options;
    log(`${notice.state === 'resolved' ? 'Resolved' : 'Alert'}: ${notice.alert.message}.`);
    this.#outbox.add(notice);
    const TRIM = { strategy: 'MAXLEN', strategyModifier: '~', threshold: 5000 } as const;
    void this.#attempt('list the alert', async () => {
      await source.redis.xAdd(ALERT_LOG, '*', { notice: JSON.stringify(notice) }, { TRIM });
    });
  }

  #beat(now: number): void {
    const { config, ingest, log } = this.#options;
    const { heartbeat } = config;
    if (heartbeat === undefined || now - this.#lastBeat < heartbeat.everyMs || ingest.trouble !== '') return;
    this.#lastBeat = now;
    const { url, headers } = httpAddress(heartbeat.url);
    fetch(url, { headers, signal: AbortSignal.timeout(10_000) }).then(
      async (response) => {
        await response.body?.cancel();
        if (!response.ok) log(`The heartbeat address answers ${response.status}.`);
      },
      () => log('The heartbeat address does not answer.'),
    );
  }

  /** Refreshes what the rules need from Redis. */
  async #refresh(now: number): Promise<void> {
    const { ingest, source } = this.#options;
    this.silences = await listSilences(source.redis, now);
    this.taken = await listTaken(source.redis, this.states);
    if (now - this.#storageAt >= 10_000) {
      this.storage = await memoryOf(source.redis);
      this.#storageAt = now;
    }
    for (const name of appNames([...ingest.fleet.values()])) await this.#refreshUsual(name, now);
  }

  async #refreshUsual(app: string, now: number): Promise<void> {
    if ((this.#usual.get(app)?.until ?? 0) > now) return;
    const middle = now - WEEK_MS;
    const range = { from: middle - HOUR_MS / 2, to: middle + HOUR_MS / 2 };
    const p90 = await usualP90(this.#options.source, app, range, now);
    this.#usual.set(app, { until: now + 600_000, p90 });
  }
}
