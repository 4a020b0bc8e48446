/** The experiment while it runs: load, samples and judge, until the state machine says stop. */
import type { Context } from '../../context.ts';
import type { CanaryVerdict, PerVariant } from '../../judge/types.ts';
import type { LiveLine } from '../../metrics/live.ts';
import type { Site, SiteProxy, Weights } from '../../proxy/proxy.ts';
import { accessLog } from '../../proxy/site.ts';
import type { LoadSummary } from '../../report/document.ts';
import type { Snapshot } from '../../report/terminal.ts';
import type { RunRecord } from '../judging/conclude.ts';
import { mutable } from '../judging/mutable.ts';
import { observeUnit, type SideHealth, UNKNOWN_HEALTH } from '../lab/health.ts';
import type { Lab, LabHost } from '../lab/hosts.ts';
import { type AgentFiles, agentPath } from '../lab/prepare.ts';
import { nodePath, UNIT } from '../lab/service.ts';
import { REQUEST_ID_HEADER, VARIANT_HEADER } from '../lab/site.ts';
import { BodyComparer } from '../load/bodies.ts';
import { type Load, startLoad } from '../load/load.ts';
import type { ReadyRequest } from '../load/requests.ts';
import { type AgentStream, openStream } from '../load/streams.ts';
import { Collector } from './collect.ts';
import { type Action, begin, type ExperimentState, next, type Observation } from './experiment.ts';
import type { RunPlan } from './plan.ts';
import { byColor, colorsOf, type SideName } from './sides.ts';

export interface ObserveOptions {
  readonly plan: RunPlan;
  readonly lab: Lab;
  readonly hosts: PerVariant<LabHost>;
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
/** A request that has no answer after this is given up by the load. */
const REQUEST_TIMEOUT_MS = 10_000;
/** After the load: how long the last lines of the log may take to arrive. */
const LAST_LINES_MS = 1_300;

/** Runs the experiment. Ends by itself; an interruption ends it with what there is. */
export async function observeExperiment(options: ObserveOptions, context: Context): Promise<Observed> {
  const { plan, lab, hosts, requests, proxy } = options;
  const colors = byColor(colorsOf(plan), (side) => side);
  const comparer = new BodyComparer(
    requests.map(({ name }) => name),
    plan.canary.ignore_body.map((pattern) => new RegExp(pattern)),
  );
  const collector = new Collector(plan.app, colors);
  const health: Record<SideName, SideHealth> = { baseline: UNKNOWN_HEALTH, candidate: UNKNOWN_HEALTH };
  const settings = {
    traffic: plan.traffic,
    split: plan.split,
    durationSeconds: plan.durationSeconds,
    stopEarly: plan.judge === 'sequential',
    judge: plan.config,
  };
  const first = begin(settings);
  let state: ExperimentState = first.state;
  let load: Load | undefined;
  let loadBegan = 0;
  let stop: () => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const stopped = new Promise<void>((resolve, reject) => {
    stop = resolve;
    fail = reject;
  });
  const clock = () => Date.now() / 1000;
  // A fault of ours in a callback must neither look like a host that ended nor end the program before the hosts are removed.
  const guarded =
    <A extends unknown[]>(work: (...args: A) => void) =>
    (...args: A): void => {
      try {
        work(...args);
      } catch (error) {
        fail(error);
      }
    };

  const weights = (candidate: number): Weights =>
    byColor(colorsOf(plan), (side) => (side === 'candidate' ? candidate : 100 - candidate));

  function feed(observation: Observation): void {
    const step = next(state, observation);
    state = step.state;
    for (const action of step.actions) perform(action);
  }

  function perform(action: Action): void {
    if (action.kind === 'set weights') proxy.setWeights(plan.app, weights(action.candidate)).catch(fail);
    else if (action.kind === 'show') options.onSnapshot(snapshot(action.verdict));
    else stop();
  }

  function snapshot(verdict: CanaryVerdict): Snapshot {
    return {
      seconds: collector.elapsed(clock()) ?? 0,
      atMost: plan.durationSeconds,
      requests: verdict.samples,
      metrics: verdict.metrics,
      needs: verdict.needs,
    };
  }

  function takeSeconds(all = false): void {
    for (const second of collector.take(clock(), all)) feed({ kind: 'second', second });
  }

  function onUnit(side: SideName, line: LiveLine): void {
    if (line.kind !== 'unit') return;
    collector.unit(side, line, clock());
    const { health: now, events } = observeUnit(health[side], side, line, collector.elapsed(clock()));
    health[side] = now;
    for (const event of events) feed({ kind: 'event', event });
    takeSeconds();
  }

  function silent(side: SideName | 'proxy', host: LabHost, reason: string): void {
    const at = collector.elapsed(clock());
    feed({
      kind: 'event',
      event: {
        at,
        side,
        kind: 'silent',
        detail: `The host ${host.name} sends no samples any more: ${reason}.`,
      },
    });
  }

  const stream = (
    side: SideName | 'proxy',
    host: LabHost,
    source: readonly [string, string],
    onLine: (line: LiveLine) => void,
  ) =>
    openStream(
      host.connection,
      {
        node: nodePath(options.agent.node),
        agent: agentPath(options.agent),
        source,
        atMostMs: (plan.durationSeconds + 120) * 1000,
        onLine: guarded(onLine),
        onEnd: guarded((reason) => silent(side, host, reason)),
      },
      context,
    );
  const watched: {
    readonly side: SideName | 'proxy';
    readonly host: LabHost;
    readonly stream: AgentStream;
  }[] = [];
  const watch = (
    side: SideName | 'proxy',
    host: LabHost,
    source: readonly [string, string],
    onLine: (line: LiveLine) => void,
  ) => {
    watched.push({ side, host, stream: stream(side, host, source, onLine) });
  };

  function tick(): void {
    const now = clock();
    takeSeconds();
    if (load === undefined) return;
    feed({ kind: 'tick', sinceLoad: now - loadBegan, sinceFirst: collector.elapsed(now) });
    for (const { side, host, stream } of watched) {
      const quiet = now - stream.lastAt() / 1000;
      if (stream.lastAt() > 0 && quiet > SILENT_SECONDS)
        silent(side, host, `none for ${Math.round(quiet)} s`);
    }
  }

  let onSecond: () => void = () => {};
  const timers: NodeJS.Timeout[] = [];
  const interrupt = guarded(() => feed({ kind: 'interrupt' }));
  let summary: LoadSummary | null = null;
  try {
    watch('proxy', lab.hosts.proxy, ['--nginx-log', accessLog(plan.app)], (line) => {
      if (line.kind !== 'traffic') return;
      collector.traffic(line, clock());
      takeSeconds();
      onSecond();
    });
    watch('baseline', hosts.baseline, ['--unit', UNIT], (line) => onUnit('baseline', line));
    watch('candidate', hosts.candidate, ['--unit', UNIT], (line) => onUnit('candidate', line));
    await Promise.all([
      proxy.reconcile(options.site).then(() => proxy.setWeights(plan.app, weights(state.share))),
      ...watched.map((entry) => entry.stream.begun),
    ]);
    // Right after a line of the proxy a second begins there: the load fills whole seconds.
    await new Promise<void>((resolve) => {
      onSecond = resolve;
    });
    context.signal.throwIfAborted();
    context.signal.addEventListener('abort', interrupt, { once: true });

    loadBegan = clock();
    load = startLoad({
      address: lab.hosts.proxy.address,
      port: plan.definition.site.port,
      requests,
      rate: plan.rate,
      seed: plan.seed,
      timeoutMs: REQUEST_TIMEOUT_MS,
      atMost: {
        milliseconds: plan.durationSeconds * 1000,
        requests: Math.ceil(plan.rate * plan.durationSeconds),
      },
      variantHeader: VARIANT_HEADER,
      idHeader: REQUEST_ID_HEADER,
      onAnswer: guarded(({ request, variant, status, body }) => {
        if (variant === 'blue' || variant === 'green') {
          comparer.observe({ request, side: colors[variant], status, body });
        }
      }),
    });
    timers.push(
      setInterval(
        guarded(() => collector.bodies(comparer.endSecond(), clock())),
        1000,
      ),
      setInterval(guarded(tick), TICK_MS),
    );
    await stopped;
    // At the deadline the load has sent its last request: those under way are waited for, and so is the log that tells of them.
    const complete = state.stopped === 'deadline';
    summary = await load.stop(complete ? REQUEST_TIMEOUT_MS : 0);
    if (complete) await new Promise((resolve) => setTimeout(resolve, LAST_LINES_MS));
  } finally {
    context.signal.removeEventListener('abort', interrupt);
    for (const timer of timers) clearInterval(timer);
    if (summary === null) await load?.stop(0);
    await Promise.all(watched.map((entry) => entry.stream.close()));
  }
  takeSeconds(true);
  return {
    stopped: state.stopped ?? 'deadline',
    events: [...state.events],
    load: summary,
    differences: comparer.differences,
    remarks: comparer
      .restless()
      .map(
        (name) =>
          `${name}: even the baseline answers differently every time, so bodies say nothing about it; name what changes in canary.ignore_body.`,
      ),
    experiment: { config: mutable(plan.config), seconds: mutable([...state.seconds]), ended: true },
  };
}
