/** The last minute of every host, with its routes told apart: what rules of one's own look at. */
import type { Minute } from '../alerts/own-rules/compute.ts';
import type { Window } from '../metrics/catalogue.ts';

const MINUTE_MS = 60_000;

export class LastMinute {
  readonly #hosts = new Map<string, Window[]>();

  note(host: string, window: Window): void {
    const recent = this.#hosts.get(host)?.filter(({ at }) => at > window.at - MINUTE_MS) ?? [];
    this.#hosts.set(host, [...recent, window]);
  }

  at(now: number, apps: Minute['apps']): Minute {
    const hosts = [...this.#hosts].map(
      ([host, windows]) => [host, windows.filter(({ at }) => at > now - MINUTE_MS)] as const,
    );
    return { hosts: new Map(hosts), apps };
  }
}
