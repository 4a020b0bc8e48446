/**
 * Keeps the status page: looks at the alerts, counts the time of each application, opens and closes incidents,
 * and brings the page elsewhere, so that it outlives the monitor.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { reason } from '../../alerts/deliver.ts';
import { httpAddress } from '../../alerts/http-address.ts';
import { type Impaired, impactOn } from '../../alerts/status/impact.ts';
import { nextIncident } from '../../alerts/status/incidents.ts';
import { type Day, dayOf, statusPage } from '../../alerts/status/page.ts';
import type { AlertState } from '../../alerts/types.ts';
import type { HubConfig } from '../config.ts';
import type { Ingest } from '../intake/ingest.ts';
import type { Redis } from '../store/redis.ts';
import { addToDay, keepIncident, readDays, readIncidents, readWords } from './store.ts';

const LOOK_MS = 5_000;
const PUSH_MS = 60_000;
const PUSH_TIMEOUT_MS = 15_000;
/** What lies longer between two looks was not seen. */
const LONGEST_LOOK_MS = 3 * LOOK_MS;

export interface StatusOptions {
  readonly page: NonNullable<HubConfig['statusPage']>;
  readonly redis: Redis;
  readonly ingest: Pick<Ingest, 'fleet' | 'trouble' | 'standby'>;
  readonly states: () => readonly AlertState[];
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  readonly now?: () => number;
}

export class StatusPage {
  /** The page as it was written last. */
  html = '';
  readonly #options: StatusOptions;
  readonly #now: () => number;
  #lookedAt: number | undefined;
  #pushedAt = 0;
  /** Failures that were logged already. */
  #said = '';

  constructor(options: StatusOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      await this.look().then(
        () => this.#push(),
        (error: Error) => this.#say(`The status page cannot be kept: ${error.message}.`),
      );
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    }
  }

  /** One look: counts, opens, closes, and writes the page anew. */
  async look(): Promise<void> {
    const { page, redis, ingest } = this.#options;
    const now = this.#now();
    const watches = !ingest.standby && ingest.trouble === '';
    const since = watches ? now - (this.#lookedAt ?? now) : 0;
    this.#lookedAt = watches ? now : undefined;
    const impaired = new Map(
      Object.keys(page.apps).map((app) => [app, watches ? this.#impact(app) : undefined]),
    );
    if (watches) {
      const incidents = await readIncidents(redis, now);
      for (const [app, impact] of impaired) {
        if (impact === undefined) continue;
        const next = nextIncident(incidents, app, impact, now);
        if (next !== undefined) await keepIncident(redis, next);
        if (since > 0 && since <= LONGEST_LOOK_MS)
          await addToDay(redis, app, dayOf(now), dayPart(impact, since));
      }
    }
    const [days, incidents, words] = await Promise.all([
      readDays(redis, now),
      readIncidents(redis, now),
      readWords(redis),
    ]);
    const apps = Object.entries(page.apps).map(([name, label]) => ({
      name,
      label,
      impact: impaired.get(name)?.impact,
      days: days.get(name) ?? new Map<string, Day>(),
    }));
    const shown = incidents.filter(({ app }) => app === '' || Object.hasOwn(page.apps, app));
    this.html = statusPage({ title: page.title, now, apps, incidents: shown, words });
  }

  /** Undefined: nobody asks for its health yet. */
  #impact(app: string): Impaired | undefined {
    const { ingest, states } = this.#options;
    const asking = [...ingest.fleet.values()].filter(({ latest }) =>
      (latest?.checks ?? []).some(({ check }) => check === app),
    );
    if (asking.length === 0) return undefined;
    return impactOn(
      app,
      asking.map(({ name }) => name),
      states(),
    );
  }

  async #push(): Promise<void> {
    const { page, ingest, log, signal } = this.#options;
    const now = this.#now();
    if (page.push === undefined || ingest.standby || now - this.#pushedAt < PUSH_MS) return;
    this.#pushedAt = now;
    const { url, headers } = httpAddress(page.push, { 'content-type': 'text/html; charset=utf-8' });
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(PUSH_TIMEOUT_MS)]);
      const response = await fetch(url, { method: 'PUT', headers, body: this.html, signal: limit });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`it answered ${response.status}`);
      if (this.#said !== '') log('The status page is taken again.');
      this.#said = '';
    } catch (error) {
      if (!signal.aborted)
        this.#say(`The status page is not taken at ${new URL(url).host}: ${reason(error)}.`);
    }
  }

  /** Each failure once, until another comes. */
  #say(line: string): void {
    if (this.#said !== line) this.#options.log(line);
    this.#said = line;
  }
}

function dayPart({ impact }: Impaired, ms: number): Day {
  return { seen: ms, look: impact === 'look' ? ms : 0, broken: impact === 'broken' ? ms : 0 };
}
