/** Looks at everything every second: alerts begin, end and are told. State is kept in Redis after every change. */
import { setTimeout as sleep } from 'node:timers/promises';
import { evaluate } from '../alerts/evaluate.ts';
import { findings } from '../alerts/findings.ts';
import { notify } from '../alerts/notify.ts';
import type { AlertState, Notice } from '../alerts/types.ts';
import { mean } from '../metrics/merge.ts';
import type { HubConfig } from './config.ts';
import type { HostState } from './fleet.ts';
import type { Ingest } from './ingest.ts';
import { ALERT_LOG, ALERTS } from './keys.ts';
import { type Source, usualP90 } from './queries.ts';
import { appNames, appView, hostView } from './view.ts';

const LOOK_MS = 1000;
const RESTARTS_MS = 600_000;
const WEEK_MS = 7 * 86_400_000;
const HOUR_MS = 3_600_000;

export interface WatchOptions {
  readonly config: HubConfig;
  readonly source: Source;
  readonly ingest: Ingest;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

export class Watch {
  states: readonly AlertState[] = [];
  readonly #options: WatchOptions;
  readonly #restarts = new Map<string, { unit: string; at: number; count: number }[]>();
  /** First and latest use of each disk: `host mount` → points, ten minutes apart. */
  readonly #disks = new Map<string, { at: number; used: number }[]>();
  readonly #usual = new Map<string, { readonly until: number; readonly p90: number | undefined }>();
  #listeningSince = Date.now();
  #storage: number | undefined;
  #lastBeat = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
    options.ingest.listen((host, window) => {
      for (const { unit, restarts } of window.units)
        if (restarts > 0) this.#noteRestarts(host.name, unit, window.at, restarts);
      for (const { mount, used } of window.disks)
        this.#noteDisk(`${host.name} ${mount}`, window.at, mean(used));
    });
  }

  async run(): Promise<void> {
    const { signal, log, source } = this.#options;
    let loaded = false;
    while (!signal.aborted) {
      try {
        if (!loaded) {
          const all = await source.redis.hGetAll(ALERTS);
          this.states = Object.values(all).map((text) => JSON.parse(text) as AlertState);
          this.#listeningSince = Date.now();
          loaded = true;
        }
        await this.#look();
        this.#beat();
      } catch (error) {
        if (!signal.aborted) log(`Alerts cannot be looked at: ${(error as Error).message}.`);
        await sleep(2000, undefined, { signal }).catch(() => {});
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #look(): Promise<void> {
    const { ingest, config, source } = this.#options;
    const now = Date.now();
    // While nothing is taken in, silence is the hub's own.
    if (ingest.trouble !== '') this.#listeningSince = now;
    if (Math.floor(now / 1000) % 10 === 0) this.#storage = await this.#readStorage();
    const hosts = [...ingest.fleet.values()];
    const apps = await Promise.all(
      appNames(hosts).map(async (name) => appView(name, hosts, await this.#usualP90(name, now), now)),
    );
    const view = {
      now,
      listeningSince: this.#listeningSince,
      hosts: hosts.map((host) => hostView(host, this.#extra(host, now))),
      apps,
      storage: this.#storage,
    };
    const { states, notices } = evaluate(this.states, findings(view, config.rules), config, now);
    await this.#keep(states);
    this.states = states;
    for (const notice of notices) {
      await source.redis.xAdd(
        ALERT_LOG,
        '*',
        { notice: JSON.stringify(notice) },
        {
          TRIM: { strategy: 'MAXLEN', strategyModifier: '~', threshold: 5000 },
        },
      );
      this.#tell(notice);
    }
  }

  /** Written only where something became something else; `seenAt` alone is no change. */
  async #keep(states: readonly AlertState[]): Promise<void> {
    const { redis } = this.#options.source;
    const before = new Map(this.states.map((state) => [state.key, state]));
    const multi = redis.multi();
    let changed = false;
    for (const state of states) {
      const old = before.get(state.key);
      before.delete(state.key);
      if (old?.state === state.state && old.told === state.told) continue;
      multi.hSet(ALERTS, state.key, JSON.stringify(state));
      changed = true;
    }
    for (const key of before.keys()) {
      multi.hDel(ALERTS, key);
      changed = true;
    }
    if (changed) await multi.exec();
  }

  /** In the background: a slow mail server holds no alert up. */
  #tell(notice: Notice): void {
    const { config, log } = this.#options;
    log(`${notice.state === 'resolved' ? 'Resolved' : 'Alert'}: ${notice.alert.message}.`);
    const { targets, dashboard } = config;
    notify(targets, notice, { dashboard }).then(
      (failures) => {
        for (const failure of failures) log(`${failure}.`);
      },
      (error: Error) => log(`A message was not sent: ${error.message}.`),
    );
  }

  #beat(): void {
    const { heartbeat } = this.#options.config;
    const now = Date.now();
    if (
      heartbeat === undefined ||
      now - this.#lastBeat < heartbeat.everyMs ||
      this.#options.ingest.trouble !== ''
    )
      return;
    this.#lastBeat = now;
    fetch(heartbeat.url, { signal: AbortSignal.timeout(10_000) }).then(
      (response) => response.body?.cancel(),
      () => this.#options.log('The heartbeat address does not answer.'),
    );
  }

  async #readStorage(): Promise<number | undefined> {
    const info = await this.#options.source.redis.info('memory');
    const number = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
    return number('maxmemory') === 0 ? undefined : number('used_memory') / number('maxmemory');
  }

  async #usualP90(app: string, now: number): Promise<number | undefined> {
    const known = this.#usual.get(app);
    if (known !== undefined && known.until > now) return known.p90;
    const middle = now - WEEK_MS;
    const p90 = await usualP90(
      this.#options.source,
      app,
      { from: middle - HOUR_MS / 2, to: middle + HOUR_MS / 2 },
      now,
    );
    this.#usual.set(app, { until: now + 600_000, p90 });
    return p90;
  }

  #noteRestarts(host: string, unit: string, at: number, count: number): void {
    const all = this.#restarts.get(host) ?? [];
    this.#restarts.set(
      host,
      [...all.filter((one) => one.at > at - RESTARTS_MS), { unit, at, count }].slice(-500),
    );
  }

  #noteDisk(key: string, at: number, used: number | null): void {
    if (used === null) return;
    const points = this.#disks.get(key) ?? [];
    if (at - (points.at(-1)?.at ?? 0) < 600_000) return;
    this.#disks.set(key, [...points.filter((point) => point.at > at - 6 * HOUR_MS), { at, used }]);
  }

  #extra(host: HostState, now: number) {
    const restarts = new Map<string, number>();
    for (const { unit, at, count } of this.#restarts.get(host.name) ?? [])
      if (at > now - RESTARTS_MS) restarts.set(unit, (restarts.get(unit) ?? 0) + count);
    const growth = new Map<string, number>();
    for (const { mount } of host.latest?.disks ?? []) {
      const points = this.#disks.get(`${host.name} ${mount}`) ?? [];
      const [first, last] = [points[0], points.at(-1)];
      // Less than an hour is no trend.
      if (first === undefined || last === undefined || last.at - first.at < HOUR_MS) continue;
      growth.set(mount, ((last.used - first.used) / (last.at - first.at)) * 1000);
    }
    return { restarts, growth };
  }
}
