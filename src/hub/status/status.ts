/**
 * Keeps the status page: looks at the alerts, counts the time of each application, opens and closes
 * incidents, and brings the page elsewhere, so that it outlives the monitor.
 */
import { chmod, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
  /** Undefined: they are not known yet. */
  readonly states: () => readonly AlertState[] | undefined;
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
  /** The last failure of each kind: it is logged once, until another comes. */
  readonly #said = new Map<'keep' | 'write' | 'push', string>();

  constructor(options: StatusOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      await this.look().then(
        () => this.#bring(),
        (error: Error) => this.#say('keep', `The status page cannot be kept: ${error.message}.`),
      );
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    }
  }

  /** One look: counts, opens, closes, and writes the page anew. */
  async look(): Promise<void> {
    const { page, redis, ingest } = this.#options;
    const now = this.#now();
    const states = this.#options.states();
    const watches = !ingest.standby && ingest.trouble === '' && states !== undefined;
    const since = watches ? now - (this.#lookedAt ?? now) : 0;
    this.#lookedAt = watches ? now : undefined;
    const impaired = new Map(
      Object.keys(page.apps).map((app) => [app, watches ? this.#impact(app, states) : undefined]),
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
  #impact(app: string, states: readonly AlertState[]): Impaired | undefined {
    const { ingest } = this.#options;
    const asking = [...ingest.fleet.values()].filter(({ latest }) =>
      (latest?.checks ?? []).some(({ check }) => check === app),
    );
    if (asking.length === 0) return undefined;
    return impactOn(
      app,
      asking.map(({ name }) => name),
      states,
    );
  }

  /** Once a minute: to the folder, and to the place elsewhere. */
  async #bring(): Promise<void> {
    const { page, ingest } = this.#options;
    const now = this.#now();
    if (ingest.standby || now - this.#pushedAt < PUSH_MS) return;
    this.#pushedAt = now;
    const { folder, push } = page;
    if (folder !== undefined)
      await writePage(folder, this.html).catch((error: Error) =>
        this.#say('write', `The status page cannot be written: ${error.message}.`),
      );
    if (push !== undefined) await this.#push(push);
  }

  async #push(address: string): Promise<void> {
    const { log, signal } = this.#options;
    const { url, headers } = httpAddress(address, { 'content-type': 'text/html; charset=utf-8' });
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(PUSH_TIMEOUT_MS)]);
      const response = await fetch(url, { method: 'PUT', headers, body: this.html, signal: limit });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`it answered ${response.status}`);
      if (this.#said.delete('push')) log('The status page is taken again.');
    } catch (error) {
      if (!signal.aborted)
        this.#say('push', `The status page is not taken at ${new URL(url).host}: ${reason(error)}.`);
    }
  }

  #say(kind: 'keep' | 'write' | 'push', line: string): void {
    if (this.#said.get(kind) !== line) this.#options.log(line);
    this.#said.set(kind, line);
  }
}

/** Whole, and for everybody to read: the hub's other files are its own. */
async function writePage(folder: string, html: string): Promise<void> {
  const temporary = join(folder, '.index.html.new');
  await writeFile(temporary, html);
  await chmod(temporary, 0o644);
  await rename(temporary, join(folder, 'index.html'));
}

function dayPart({ impact }: Impaired, ms: number): Day {
  return { seen: ms, look: impact === 'look' ? ms : 0, broken: impact === 'broken' ? ms : 0 };
}
