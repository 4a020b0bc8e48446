/** The experiment while it runs: load, samples and judge, until the state machine says stop. */
import type { Context } from '../../context.ts';
import type { WantedNumber } from '../../contract/numbers.ts';
import { SIDES, type SideName } from '../../judge/sides.ts';
import type { CanaryVerdict, PerSide } from '../../judge/types.ts';
import type { LiveLine } from '../../metrics/live.ts';
import type { Site, SiteProxy, Weights } from '../../proxy/proxy.ts';
import { accessLog } from '../../proxy/site.ts';
import type { LoadSummary } from '../../report/document.ts';
import type { Snapshot } from '../../report/terminal.ts';
import type { RunRecord } from '../judging/conclude.ts';
import { mutable } from '../judging/mutable.ts';
import { beginOn, type FaultySide, undoAll } from '../lab/faults.ts';
import { observeUnit, type SideHealth, UNKNOWN_HEALTH } from '../lab/health.ts';
import type { Lab, LabHost } from '../lab/hosts.ts';
import { type AgentFiles, agentPath } from '../lab/prepare.ts';
import { nodePath } from '../lab/service.ts';
import { COLOUR_HEADER, REQUEST_ID_HEADER } from '../lab/site.ts';
import { BodyComparer } from '../load/bodies.ts';
import { FlowCounts } from '../load/flow-counts.ts';
import { type Load, type LoadAnswer, type LoadVisit, startLoad } from '../load/load.ts';
import { loadFlows, type ReadyRequest } from '../load/requests.ts';
import { type AgentStream, openStream } from '../load/streams.ts';
import { RecordCollector } from './collect.ts';
import {
  begin,
  type ExperimentAction,
  type ExperimentState,
  next,
  type ExperimentObservation as Seen,
} from './experiment.ts';
import type { RunPlan } from './plan.ts';
import { byColour, type Colours, coloursOf } from './sides.ts';

interface ObserveOptions {
  readonly plan: RunPlan;
  readonly lab: Lab;
  readonly hosts: PerSide<LabHost>;
  /** What is measured on each side. */
  readonly units: PerSide<readonly string[]>;
  /** Where each side's own process answers, `ADDRESS:PORT`. */
  readonly answersAt: PerSide<string>;
  /** Units of database servers, the same on both sides. */
  readonly databases: readonly string[];
  readonly agent: AgentFiles;
  readonly requests: readonly ReadyRequest[];
  readonly proxy: SiteProxy;
  readonly site: Site;
  readonly onSnapshot: (snapshot: Snapshot) => void;
}

export type Observed = Pick<
  RunRecord,
  'stopped' | 'events' | 'load' | 'differences' | 'remarks' | 'experiment'
>;

/** How often the state machine is told that time passes. */
const TICK_MS = 200;
/** Seconds without a line after which a host counts as silent. */
const SILENT_SECONDS = 5;
/** Seconds that a side may be down where faults are done to it. */
const FAULT_GRACE_SECONDS = 120;
/** The same for a host without a line: it may have little processor left. */
const FAULT_SILENT_SECONDS = 30;
/** A request that has no answer after this is given up by the load. */
const REQUEST_TIMEOUT_MS = 10_000;
/** After the load: how long the last lines of the log may take to arrive. */
const LAST_LINES_MS = 1_300;

/** Runs the experiment. Ends by itself; an interruption ends it with what there is. */
export function observeExperiment(options: ObserveOptions, context: Context): Promise<Observed> {
  return new Observer(options, context).run();
}

/** A host whose agent tells every second what it sees. */
interface Watched {
  readonly side: SideName | 'proxy';
  readonly host: LabHost;
  readonly stream: AgentStream;
}

/** One experiment: feeds the state machine with what is seen, and does what it says. */
class Observer {
  readonly #options: ObserveOptions;
  readonly #context: Context;
  readonly #colours: Colours;
  readonly #sides: Readonly<Record<'blue' | 'green', SideName>>;
  readonly #comparer: BodyComparer;
  readonly #collector: RecordCollector;
  readonly #flows: FlowCounts;
  /** Faults that were begun, by their place in the plan. */
  readonly #begun = new Set<number>();
  /** Those that are being done: none is undone before it was done. */
  readonly #doing: Promise<void>[] = [];
  readonly #health: Record<SideName, SideHealth> = { baseline: UNKNOWN_HEALTH, candidate: UNKNOWN_HEALTH };
  readonly #watched: Watched[] = [];
  /** Resolves when the state machine says stop; rejects with a fault of ours. */
  readonly #stopped = new Signal();
  #state: ExperimentState;
  #load: Load | undefined;
  #loadBegan = 0;

  constructor(options: ObserveOptions, context: Context) {
    const { plan, requests } = options;
    this.#options = options;
    this.#context = context;
    this.#colours = coloursOf(plan);
    this.#sides = byColour(this.#colours, (side) => side);
    this.#comparer = new BodyComparer(
      requests.map(({ name }) => name),
      plan.canary.ignore_body.map((pattern) => new RegExp(pattern)),
    );
    this.#collector = new RecordCollector(plan.app, this.#sides);
    this.#flows = new FlowCounts(plan.canary.flows.map(({ name }) => name));
    this.#state = begin({
      traffic: plan.traffic,
      split: plan.split,
      durationSeconds: plan.durationSeconds,
      stopEarly: plan.judge === 'sequential',
      judge: plan.config,
    }).state;
  }

  async run(): Promise<Observed> {
    const { signal } = this.#context;
    const interrupt = this.#guarded(() => this.#feed({ kind: 'interrupt' }));
    const timers: NodeJS.Timeout[] = [];
    let summary: LoadSummary | null = null;
    try {
      await this.#watchAll();
      signal.throwIfAborted();
      signal.addEventListener('abort', interrupt, { once: true });
      this.#startLoad();
      timers.push(
        setInterval(
          this.#guarded(() => this.#endBodySecond()),
          1000,
        ),
        setInterval(
          this.#guarded(() => this.#tick()),
          TICK_MS,
        ),
      );
      await this.#stopped.promise;
      summary = await this.#endLoad();
    } finally {
      signal.removeEventListener('abort', interrupt);
      for (const timer of timers) clearInterval(timer);
      if (summary === null) await this.#load?.stop(0);
      await this.#undoFaults();
      await Promise.all(this.#watched.map(({ stream }) => stream.close()));
    }
    this.#takeSeconds(true);
    return this.#observed(summary);
  }

  /** Divides the traffic, follows all three hosts, and returns when a second of the proxy begins. */
  async #watchAll(): Promise<void> {
    const { plan, lab, hosts, units, proxy, site } = this.#options;
    for (const side of SIDES) {
      const source = units[side].flatMap((unit) => ['--unit', unit]);
      this.#watch(side, hosts[side], source, (line) => this.#onUnit(side, line));
    }
    if (plan.canary.metrics.length > 0) this.#watchNumbers();
    await Promise.all([
      proxy.reconcile(site).then(() => proxy.setWeights(plan.app, this.#weights(this.#state.share))),
      ...this.#watched.map(({ stream }) => stream.begun),
    ]);
    // Last, for its seconds begin with its first line, and the load is to fill whole ones.
    const source = ['--nginx-log', accessLog(plan.app)];
    await this.#watch('proxy', lab.hosts.proxy, source, (line) => this.#onTraffic(line)).begun;
  }

  /** What the services themselves expose. */
  #watchNumbers(): void {
    const { plan, hosts, answersAt } = this.#options;
    const { metrics } = plan.canary;
    const types = Object.fromEntries(metrics.map(({ name, type }) => [name, type]));
    for (const side of SIDES) {
      const wanted = metrics.map(
        ({ name, type, path, prometheus, json }): WantedNumber => ({
          ...{ name, type, prometheus, json },
          url: `http://${answersAt[side]}${path}`,
        }),
      );
      this.#watch(side, hosts[side], ['--numbers', JSON.stringify(wanted)], (line) => {
        if (line.kind === 'numbers') this.#collector.numbers(side, line, types, clock());
      });
    }
  }

  #watch(
    side: SideName | 'proxy',
    host: LabHost,
    source: readonly string[],
    onLine: (line: LiveLine) => void,
  ): AgentStream {
    const { agent, plan } = this.#options;
    const stream = openStream(
      host.connection,
      {
        node: nodePath(agent.node),
        agent: agentPath(agent),
        source,
        atMostMs: (plan.durationSeconds + 120) * 1000,
        onLine: this.#guarded(onLine),
        onEnd: this.#guarded((reason: string) => this.#onSilence(side, host, reason)),
      },
      this.#context,
    );
    this.#watched.push({ side, host, stream });
    return stream;
  }

  #faulty(): readonly FaultySide[] {
    const { hosts, units, databases } = this.#options;
    return SIDES.map((side) => ({ host: hosts[side], units: units[side], databases }));
  }

  /** Faults whose time has come. */
  #beginFaults(sinceFirst: number | null): void {
    const { plan, lab } = this.#options;
    for (const [index, fault] of plan.faults.entries()) {
      if (sinceFirst === null || sinceFirst < fault.at || this.#begun.has(index)) continue;
      if (this.#state.phase === 'stopped') return;
      this.#begun.add(index);
      const from = lab.hosts.proxy.address;
      const doing = beginOn(this.#faulty(), fault, index, from, this.#context);
      this.#doing.push(doing);
      doing.catch(this.#stopped.reject);
    }
  }

  async #undoFaults(): Promise<void> {
    if (this.#begun.size === 0) return;
    await Promise.allSettled(this.#doing);
    await undoAll(this.#faulty(), this.#options.plan.faults, this.#context);
  }

  #startLoad(): void {
    const { plan, lab, requests } = this.#options;
    this.#loadBegan = clock();
    this.#load = startLoad({
      address: lab.hosts.proxy.address,
      port: plan.definition.site.port,
      requests,
      flows: loadFlows(plan.canary),
      rate: plan.rate,
      timetable: plan.replay?.timetable,
      seed: plan.seed,
      timeoutMs: REQUEST_TIMEOUT_MS,
      atMost: {
        milliseconds: plan.durationSeconds * 1000,
        // A replay begun anew may have its busy part once more than on average.
        requests: Math.ceil(plan.rate * plan.durationSeconds) + (plan.replay?.timetable.due.length ?? 0),
      },
      colourHeader: COLOUR_HEADER,
      idHeader: REQUEST_ID_HEADER,
      onAnswer: this.#guarded((answer: LoadAnswer) => this.#onAnswer(answer)),
      onVisit: this.#guarded(({ flow, colour, endedAt }: LoadVisit) => {
        if (colour === 'blue' || colour === 'green') this.#flows.count(flow, this.#sides[colour], endedAt);
      }),
    });
  }

  /**
   * Ends the load. At the deadline it has sent its last request: those under way are waited for, and so is
   * the log that tells of them.
   */
  async #endLoad(): Promise<LoadSummary | null> {
    const isComplete = this.#state.stopped === 'deadline';
    const summary = (await this.#load?.stop(isComplete ? REQUEST_TIMEOUT_MS : 0)) ?? null;
    if (isComplete) await new Promise((resolve) => setTimeout(resolve, LAST_LINES_MS));
    return summary;
  }

  #onAnswer({ request, colour, status, body }: LoadAnswer): void {
    if (colour !== 'blue' && colour !== 'green') return;
    this.#comparer.observe({ request, side: this.#sides[colour], status, body });
  }

  #onTraffic(line: LiveLine): void {
    if (line.kind !== 'traffic') return;
    this.#collector.traffic(line, clock());
    this.#takeSeconds();
  }

  #onUnit(side: SideName, line: LiveLine): void {
    if (line.kind !== 'unit') return;
    this.#collector.unit(side, line, clock());
    const at = this.#collector.elapsed(clock());
    const { health, events } = observeUnit(this.#health[side], side, line, at, this.#grace);
    this.#health[side] = health;
    for (const event of events) this.#feed({ kind: 'event', event });
    this.#takeSeconds();
  }

  /** A side that faults are done to has time to come back. */
  get #grace(): number | undefined {
    const { faults } = this.#options.plan;
    return faults.length === 0 ? undefined : FAULT_GRACE_SECONDS;
  }

  #onSilence(side: SideName | 'proxy', host: LabHost, reason: string): void {
    const at = this.#collector.elapsed(clock());
    const detail = `The host ${host.name} sends no samples any more: ${reason}.`;
    this.#feed({ kind: 'event', event: { at, side, kind: 'silent', detail } });
  }

  #endBodySecond(): void {
    this.#collector.bodies(this.#comparer.endSecond(), clock());
  }

  #tick(): void {
    const now = clock();
    this.#takeSeconds();
    const sinceFirst = this.#collector.elapsed(now);
    this.#feed({ kind: 'tick', sinceLoad: now - this.#loadBegan, sinceFirst });
    this.#beginFaults(sinceFirst);
    const patience = this.#options.plan.faults.length > 0 ? FAULT_SILENT_SECONDS : SILENT_SECONDS;
    for (const { side, host, stream } of this.#watched) {
      const quiet = now - stream.lastAt() / 1000;
      if (stream.lastAt() > 0 && quiet > patience)
        this.#onSilence(side, host, `none for ${Math.round(quiet)} s`);
    }
  }

  #takeSeconds(all = false): void {
    for (const second of this.#collector.take(clock(), all)) this.#feed({ kind: 'second', second });
  }

  #feed(observation: Seen): void {
    const step = next(this.#state, observation);
    this.#state = step.state;
    for (const action of step.actions) this.#perform(action);
  }

  #perform(action: ExperimentAction): void {
    const { plan, proxy, onSnapshot } = this.#options;
    if (action.kind === 'set weights') {
      proxy.setWeights(plan.app, this.#weights(action.candidate)).catch(this.#stopped.reject);
    } else if (action.kind === 'show') onSnapshot(this.#snapshot(action.verdict));
    else this.#stopped.resolve();
  }

  #weights(candidate: number): Weights {
    return byColour(this.#colours, (side) => (side === 'candidate' ? candidate : 100 - candidate));
  }

  #snapshot(verdict: CanaryVerdict): Snapshot {
    return {
      seconds: this.#collector.elapsed(clock()) ?? 0,
      atMost: this.#options.plan.durationSeconds,
      requests: verdict.samples,
      metrics: verdict.metrics,
      needs: verdict.needs,
    };
  }

  /**
   * A fault of ours in a callback must neither look like a host that ended nor end the program before its
   * hosts go.
   */
  #guarded<A extends unknown[]>(work: (...args: A) => void): (...args: A) => void {
    return (...args) => {
      try {
        work(...args);
      } catch (error) {
        this.#stopped.reject(error);
      }
    };
  }

  #observed(load: LoadSummary | null): Observed {
    const { stopped, events, seconds } = this.#state;
    return {
      stopped: stopped ?? 'deadline',
      events: [...events],
      load,
      differences: this.#comparer.differences,
      remarks: [...this.#flows.remarks(), ...this.#comparer.restless().map(restlessRemark)],
      experiment: {
        config: mutable(this.#options.plan.config),
        seconds: mutable([...seconds]),
        ended: true,
      },
    };
  }
}

function restlessRemark(name: string): string {
  return (
    `${name}: even the baseline answers differently every time, so bodies say nothing about it; ` +
    'name what changes in canary.ignore_body.'
  );
}

/** Seconds since 1970. */
const clock = () => Date.now() / 1000;

/** A promise that somebody else ends. */
class Signal {
  readonly promise: Promise<void>;
  resolve: () => void = () => {};
  reject: (error: unknown) => void = () => {};

  constructor() {
    this.promise = new Promise<void>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever awaits it later still hears of it; until then a rejection must not end the program.
    this.promise.catch(() => {});
  }
}
