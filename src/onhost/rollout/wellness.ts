/** Whether the processes of both versions of a rollout are there and answer. */
import { appRoot, type Colour, other } from '../../contract/places.ts';
import type { RolloutOrder } from '../../contract/release.ts';
import type { Observation } from '../../rollout/next.ts';
import { instancesIn } from '../colours.ts';
import { FAILED_CHECKS } from '../health.ts';
import type { Host } from '../host.ts';

const CHECK_SECONDS = 2;
/** Its processes may end this often: some services exit on some requests, and the old version does so too. */
const ENDS = 3;

export class Wellness {
  readonly #app: string;
  readonly #host: Host;
  readonly #candidate: Colour;
  /** Seconds in which a version may start. */
  readonly #within: number;
  /** `well`: it has answered, so it has started. */
  readonly #seen = new Map<string, { restarts: number; bad: number; well: boolean }>();
  #began = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #last: Observation['unwell'] = { baseline: null, candidate: null };

  constructor(app: string, host: Host, { colour, manifest }: RolloutOrder['settle']) {
    this.#app = app;
    this.#host = host;
    this.#candidate = colour;
    this.#within = manifest.health.within / 1000;
  }

  /** What was seen at the last look. */
  get last(): Observation['unwell'] {
    return this.#last;
  }

  /** All processes have answered, or have had time enough. */
  get started(): boolean {
    return this.#isLate || [...this.#seen.values()].every(({ well }) => well);
  }

  get #isLate(): boolean {
    return Number(this.#host.journalTime()) - this.#began >= this.#within;
  }

  /** @param starting the versions may not have answered yet. */
  async begin(starting: boolean): Promise<void> {
    this.#began = Number(this.#host.journalTime());
    for (const colour of ['blue', 'green'] as const) {
      for (const { unit } of await instancesIn(this.#host, this.#app, colour)) {
        const { restarts } = await this.#host.unit(unit);
        this.#seen.set(unit, { restarts, bad: 0, well: !starting });
      }
    }
  }

  async look(): Promise<Observation['unwell']> {
    const now = Number(this.#host.journalTime());
    if (now - this.#lookedAt < CHECK_SECONDS) return this.#last;
    this.#lookedAt = now;
    this.#last = {
      baseline: await this.#of(other(this.#candidate)),
      candidate: await this.#of(this.#candidate),
    };
    return this.#last;
  }

  async #of(colour: Colour): Promise<string | null> {
    for (const { unit, address, port } of await instancesIn(this.#host, this.#app, colour)) {
      const one = this.#seen.get(unit);
      if (one === undefined) continue;
      const { restarts } = await this.#host.unit(unit);
      // After a reboot they are counted anew.
      if (restarts < one.restarts) one.restarts = restarts;
      const ended = restarts - one.restarts;
      if (ended > ENDS) return `its process ended ${ended} times by itself`;
      const folder = `${appRoot(this.#app)}/${colour}`;
      const { healthy, said } = await this.#host.check(folder, `${address}:${port}`);
      one.bad = healthy ? 0 : one.bad + 1;
      one.well ||= healthy;
      if (one.bad >= FAILED_CHECKS && (one.well || this.#isLate)) return said;
    }
    return null;
  }
}
