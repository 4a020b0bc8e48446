/**
 * The rollout's own process: reads what nginx tells of each request, looks after both versions, and does what
 * `next` says. What it has decided lies on the disk before it is done, so whatever ends it, the next one goes
 * on from there.
 */
import type { RolloutOrder } from '../../contract/release.ts';
import {
  hasEnded,
  ROLLOUT_WORDS,
  type RolloutEvent,
  type RolloutStatus,
  type RolloutWord,
  rolloutFolder,
  rolloutStatusPath,
} from '../../contract/rollout.ts';
import { splitLog } from '../../proxy/split.ts';
import { parseSplitLine, unitOf } from '../../proxy/split-log.ts';
import { Episodes, type KeptEpisodes } from '../../rollout/episodes.ts';
import {
  type Act,
  beginState,
  next,
  type Observation,
  type RolloutPlan,
  type RolloutState,
  revivedState,
} from '../../rollout/next.ts';
import { reasonWords, statusOf } from '../../rollout/status.ts';
import { disableRollout } from '../colours.ts';
import type { WithLock } from '../guard.ts';
import type { Host } from '../host.ts';
import { readRollout } from './begin.ts';
import { endByBalancer, endRollout, teller, tellStep } from './end.ts';
import { followBalancer } from './follow.ts';
import { keepEvents } from './record.ts';
import { percentTo } from './traffic.ts';
import { Wellness } from './wellness.ts';

const LOOK_MS = 250;
const TELL_SECONDS = 1;
/** A state that is lost costs so much evidence. */
const KEEP_SECONDS = 5;

/** What is kept on the disk. */
interface Kept {
  readonly state: RolloutState;
  readonly episodes: KeptEpisodes;
  readonly events: readonly RolloutEvent[];
  /** Seconds that it has run. */
  readonly seconds: number;
  /** Where in nginx's log the next lines begin. */
  readonly offset: number;
}

/** Until the rollout has ended. @returns whether that went well. */
export async function runRollout(
  app: string,
  host: Host,
  lock: WithLock,
  print: (line: string) => void,
): Promise<boolean> {
  const file = await readRollout(host, app);
  if (file === undefined) {
    // It ended just before the host went down.
    await disableRollout(host, app);
    return true;
  }
  if (file.order.part === 'host') return followed(host, file.order, lock, print);
  const actor = new Actor(app, host, file.order, file.began, print);
  await actor.load();
  await actor.decide();
  const last = actor.status();
  return lock(app, async () => {
    await endRollout(host, file.order, last, print);
    return true;
  });
}

/** On one of several hosts: until its balancer has decided. */
async function followed(
  host: Host,
  order: RolloutOrder,
  lock: WithLock,
  print: (line: string) => void,
): Promise<boolean> {
  const { app } = order.settle.manifest;
  const word = await followBalancer(host, order);
  if (word === undefined) return true;
  const { phase, at } = word;
  const percent = phase === 'promoted' ? 100 : 0;
  const kind = phase === 'promoted' ? phase : 'taken back';
  const status = {
    id: order.id,
    phase,
    events: [{ at, kind, percent, why: 'its balancer decided' }],
  } as const;
  return lock(app, async () => {
    await endByBalancer(host, { app, status }, teller(print));
    return true;
  });
}

class Actor {
  readonly #app: string;
  readonly #host: Host;
  readonly #order: RolloutOrder;
  readonly #plan: RolloutPlan;
  readonly #began: number;
  readonly #print: (line: string) => void;
  #state: RolloutState;
  #episodes: Episodes;
  #events: readonly RolloutEvent[] = [];
  #seconds = 0;
  #offset = 0;
  #keptAt = Number.NEGATIVE_INFINITY;
  #toldAt = Number.NEGATIVE_INFINITY;
  readonly #wellness: Wellness;
  /** Both versions may still be starting, as after a reboot: what fails meanwhile is no evidence. */
  #starting = false;

  constructor(app: string, host: Host, order: RolloutOrder, began: number, print: (line: string) => void) {
    this.#app = app;
    this.#host = host;
    this.#order = order;
    this.#began = began;
    this.#print = print;
    const { steps, alpha, atMost, otherwise } = order;
    this.#plan = { steps, alpha, otherwise, atMost: atMost / 1000 };
    this.#state = beginState(this.#plan);
    this.#episodes = new Episodes(order.by, 0);
    this.#wellness = new Wellness(app, host, order.settle);
  }

  /** Goes on from where an earlier process was; else lets the first visitors in. */
  async load(): Promise<void> {
    const text = await this.#host.read(`${rolloutFolder(this.#app)}/state.json`);
    const kept = text === undefined ? undefined : (JSON.parse(text) as Kept);
    const resumed = { kind: 'resumed', at: kept?.seconds ?? -1 } as const;
    await keepEvents(this.#host, this.#order, [resumed], this.#print);
    if (kept !== undefined) {
      this.#state = revivedState(kept.state);
      this.#events = kept.events;
      this.#seconds = kept.seconds;
      this.#offset = kept.offset;
      this.#episodes = new Episodes(this.#order.by, this.#percent, kept.episodes, kept.seconds);
    }
    await this.#recallEnd();
    if (hasEnded(this.#state.phase)) return;
    if (kept === undefined) {
      await this.#note({ kind: 'began', percent: this.#order.steps[0] ?? 100, why: '' });
    }
    await this.#share(this.#percent);
    this.#starting = kept !== undefined;
    await this.#wellness.begin(this.#starting);
  }

  /** A full disk may have lost what was decided; memory has it, so nobody is let in again. */
  async #recallEnd(): Promise<void> {
    const text = await this.#host.read(rolloutStatusPath(this.#app));
    const told = text === undefined ? undefined : (JSON.parse(text) as RolloutStatus);
    if (told === undefined || told.id !== this.#order.id || !hasEnded(told.phase)) return;
    this.#state = { ...this.#state, phase: told.phase };
    this.#events = told.events;
  }

  /** Seconds, by a clock that only goes forward, however that of the machine jumps. */
  #clock(): number {
    return Number(this.#host.journalTime());
  }

  get #percent(): number {
    return this.#events.at(-1)?.percent ?? 0;
  }

  async decide(): Promise<void> {
    let last = this.#clock();
    while (!hasEnded(this.#state.phase)) {
      await this.#host.sleep(LOOK_MS);
      const now = this.#clock();
      const seconds = now - last;
      last = now;
      this.#seconds += seconds;
      const seen = await this.#observe(seconds);
      const { state, act } = next(this.#plan, this.#state, seen);
      this.#state = state;
      if (act !== null) await this.#carryOut(act);
      await this.#tell();
      // Heard only once what follows from it is kept: said twice, it does no harm.
      if (seen.word !== null) await this.#host.remove(this.#wordFile);
    }
  }

  status(): RolloutStatus {
    return statusOf({
      order: this.#order,
      began: this.#began,
      now: this.#host.now(),
      state: this.#state,
      counted: this.#episodes.counted,
      unwell: this.#wellness.last,
      events: this.#events,
    });
  }

  async #observe(seconds: number): Promise<Observation> {
    const { lines, next: offset } = await this.#host.takeLines(splitLog(this.#app), this.#offset);
    this.#offset = offset;
    for (const line of lines) {
      const request = parseSplitLine(line);
      if (request !== undefined)
        this.#episodes.take({ ...request, unit: unitOf(this.#order.seed, request.key) });
    }
    const events = this.#starting ? [] : this.#episodes.until(this.#seconds);
    await keepEvents(this.#host, this.#order, events, this.#print);
    const unwell = await this.#wellness.look();
    if (this.#starting && this.#wellness.started) {
      this.#starting = false;
      this.#episodes = new Episodes(this.#order.by, this.#percent, this.#episodes.kept, this.#seconds);
    }
    return { seconds, events, unwell, word: await this.#word() };
  }

  async #carryOut({ kind, percent, reason }: Act): Promise<void> {
    this.#toldAt = Number.NEGATIVE_INFINITY;
    // Visitors first, whatever becomes of the disk.
    if (kind === 'taken back') {
      await this.#try('take visitors back', () => percentTo(this.#host, this.#order, 0));
    }
    await this.#note({ kind, percent, why: reasonWords(reason) });
    if (kind === 'step') await this.#share(percent);
  }

  async #note(event: Omit<RolloutEvent, 'at'>): Promise<void> {
    const at = new Date(this.#host.now()).toISOString();
    this.#events = [...this.#events, { at, ...event }];
    this.#print(`${this.#app} ${event.kind} ${event.percent} % ${event.why}`.trim());
    await this.#keep();
    if (hasEnded(this.#state.phase)) return;
    await this.#try('tell the audit log', () => tellStep(this.#host, this.#order, { at, ...event }));
  }

  async #share(percent: number): Promise<void> {
    await percentTo(this.#host, this.#order, percent);
    this.#episodes.share = percent;
  }

  get #wordFile(): string {
    return `${rolloutFolder(this.#app)}/word`;
  }

  async #word(): Promise<Observation['word']> {
    const [word, ...by] = ((await this.#host.read(this.#wordFile)) ?? '').trim().split(' ');
    return word !== undefined && isWord(word) ? { word, by: by.join(' ') } : null;
  }

  /** The status each second or so, the state now and then. */
  async #tell(): Promise<void> {
    const now = this.#clock();
    if (now - this.#toldAt < TELL_SECONDS && !hasEnded(this.#state.phase)) return;
    this.#toldAt = now;
    const status = JSON.stringify(this.status());
    await this.#try('tell its status', () => this.#host.write(rolloutStatusPath(this.#app), status, 0o644));
    if (now - this.#keptAt >= KEEP_SECONDS) await this.#keep();
  }

  /** A full disk does not end a rollout: what is lost is evidence, should it end now. */
  async #keep(): Promise<void> {
    this.#keptAt = this.#clock();
    const kept: Kept = {
      state: this.#state,
      episodes: this.#episodes.kept,
      events: this.#events,
      seconds: this.#seconds,
      offset: this.#offset,
    };
    const path = `${rolloutFolder(this.#app)}/state.json`;
    await this.#try('keep its state', () => this.#host.write(path, JSON.stringify(kept), 0o600));
  }

  async #try(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#print(
        `<4>${this.#app}: cannot ${what}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}

function isWord(word: string): word is RolloutWord {
  return ROLLOUT_WORDS.some((one) => one === word);
}
