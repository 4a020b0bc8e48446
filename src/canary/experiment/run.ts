/** `pipeline canary`: from two refs to a verdict. Thin: what to do is decided elsewhere, here it is done. */

import type { Artifact } from '../../build/artifact.ts';
import { buildArtifact } from '../../build/build.ts';
import type { PlacedProgram } from '../../cloud/provider.ts';
import { healthPath, healthWithin } from '../../config/health.ts';
import type { Config } from '../../config/schema.ts';
import type { Context } from '../../context.ts';
import type { ProbeAnswer } from '../../contract/probe.ts';
import { databaseUnit, missingDatabases, withPasswords } from '../../database/index.ts';
import { withLock } from '../../environment/lock.ts';
import { Failure } from '../../errors.ts';
import { SIDES, type SideName } from '../../judge/sides.ts';
import type { PerSide } from '../../judge/types.ts';
import { nginxProxy } from '../../proxy/nginx.ts';
import { wantedRelease } from '../../release/plan/wanted.ts';
import { hidden, resolveSecrets } from '../../release/secrets.ts';
import type { CanaryReport } from '../../report/document.ts';
import type { Snapshot } from '../../report/terminal.ts';
import { conclude, type RunRecord } from '../judging/conclude.ts';
import { mutable } from '../judging/mutable.ts';
import { claimHosts } from '../lab/brought.ts';
import { type Backups, fillDatabases } from '../lab/data.ts';
import { checkLabApp, labConfig, labMemory, needsRelease } from '../lab/definition.ts';
import { checkFaults } from '../lab/faults.ts';
import { type Lab, type LabHost, openLab, reachAll } from '../lab/hosts.ts';
import {
  type AgentFiles,
  agentFiles,
  agentPath,
  cleanHosts,
  journalOf,
  localPrograms,
  prepareProxy,
  prepareReleaseHost,
  prepareSide,
  type ReadyProxy,
  versionsOn,
} from '../lab/prepare.ts';
import { probe } from '../lab/probe.ts';
import { deploySide, type NotRunning, type ReleaseOnSide, type Running } from '../lab/release.ts';
import { DEFAULT_PORT, nodePath, type ServiceSpec, UNIT } from '../lab/service.ts';
import { siteOf } from '../lab/site.ts';
import {
  choosePaths,
  type DraftRequest,
  draftRequests,
  probesFor,
  type ReadyRequest,
  readyRequests,
} from '../load/requests.ts';
import { type Observed, observeExperiment } from './observe.ts';
import { type CanaryOptions, planRun, type RunPlan } from './plan.ts';
import { healthRemarks, neverStarted, pathRemarks, reportHead } from './record.ts';
import { sidesOf } from './sides.ts';

/** What the caller wants to hear while it runs. */
export interface CanaryListener {
  /** Both versions are known; the experiment has not begun. */
  readonly onPlan?: (
    run: Pick<CanaryReport, 'app' | 'baseline' | 'candidate' | 'plan'>,
    alpha: number | null,
  ) => void;
  readonly onSnapshot?: (snapshot: Snapshot) => void;
  /** The verdict is there; the hosts are removed afterwards. */
  readonly onResult?: (result: CanaryResult) => Promise<void> | void;
  /** Hosts exist from now on; `remains` says what stays where the program is killed. */
  readonly onHosts?: (remains: string | null) => void;
}

export interface CanaryResult {
  readonly report: CanaryReport;
  /** `interrupted`: stopped by the user before there was a verdict. */
  readonly exitKind: 'done' | 'rejected' | 'inconclusive' | 'interrupted';
}

interface CanaryResources {
  readonly config: Config;
  /** Version of pipeline, for the report. */
  readonly version: string;
  /** The agent's bundle on this machine. */
  readonly agent: string;
}

/**
 * Runs the experiment and removes what it made, also after a failure.
 * @throws Failure kind `usage` for an unknown application or ref (before any host is made); kind `host`
 *   where a build or a host fails; kind `locked` where another canary uses the hosts.
 */
export async function runCanary(
  options: CanaryOptions,
  resources: CanaryResources,
  context: Context,
  listener: CanaryListener = {},
): Promise<CanaryResult> {
  const { config } = resources;
  const plan = planRun(config, options);
  checkLabApp(plan.app, plan.definition);
  const subject = await subjectOf(plan, options, resources, context);
  const lab = await openLab(config, subject.plan, options.inventory, subject.programs, context);
  listener.onHosts?.(lab.remains);
  let keep = options.keep;
  let claimed = false;
  try {
    await reachAll(lab, context);
    const command = `pipeline canary ${options.baseline} ${options.candidate}`;
    return await withLock(lab.hosts.proxy.connection, { command }, context, async (locked) => {
      await claimHosts(lab, plan.app, locked);
      claimed = true;
      const result = await new LabRun(subject, lab, resources, context, listener).run(locked);
      await listener.onResult?.(result);
      return result;
    });
  } catch (error) {
    // Another canary uses these hosts: they are not ours to remove.
    if (error instanceof Failure && error.kind === 'locked') keep = true;
    throw error;
  } finally {
    if (claimed && !keep && lab.remains === null) await cleanHosts(lab, context);
    await lab.close({ keep });
  }
}

/** What is compared, before there is any host. */
interface Subject {
  readonly plan: RunPlan;
  readonly artifacts: PerSide<Artifact>;
  /** Versions are brought as a deploy brings them. */
  readonly deployed: boolean;
  /** What databases are filled with, by key; without one: the seed. */
  readonly backups: Backups;
  readonly drafts: readonly DraftRequest[];
  /** What is generated lives as long as the experiment, and both sides have the same. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly agent: AgentFiles;
  /** What local hosts are made with, so that it need not be sent and unpacked on each. */
  readonly programs: readonly PlacedProgram[];
}

async function subjectOf(
  plan: RunPlan,
  options: CanaryOptions,
  { config, agent }: CanaryResources,
  context: Context,
): Promise<Subject> {
  const [baseline, candidate] = await bothRefs(config, plan, options, context);
  const commits = [baseline.commit ?? '', candidate.commit ?? ''] as const;
  const { app, definition, canary } = plan;
  const both = [baseline, candidate];
  const deployed = needsRelease(definition, both);
  const sources = deployed ? withPasswords(definition) : definition.secrets;
  const files = await agentFiles(agent, both, context);
  const nodes = deployed ? [files.node] : [files.node, ...both.flatMap(({ node }) => node ?? [])];
  return {
    plan: { ...plan, canary: { ...canary, memory: canary.memory ?? labMemory(definition, both) } },
    deployed,
    backups: options.backups ?? new Map(),
    artifacts: { baseline, candidate },
    drafts: await draftRequests(config, plan, commits, context),
    secrets: (await resolveSecrets(app, sources, [], config.directory, context)).values,
    agent: files,
    programs: options.inventory === undefined ? await localPrograms(nodes, context) : [],
  };
}

/** One side, installed on its host. */
interface Started {
  readonly versions: Readonly<Record<string, string>>;
  readonly running: Running | NotRunning;
}

/** One side that was asked whether it answers. */
interface Prepared {
  readonly versions: Readonly<Record<string, string>>;
  readonly answer: ProbeAnswer;
  /** What is measured. */
  readonly units: readonly string[];
  /** Where its own process answers. */
  readonly answersAt: string;
  /** Of a version that did not start. */
  readonly lines?: readonly string[] | undefined;
}

/** The experiment on the hosts of a lab. */
class LabRun {
  readonly #subject: Subject;
  readonly #lab: Lab;
  readonly #resources: CanaryResources;
  readonly #context: Context;
  readonly #listener: CanaryListener;
  readonly #hosts: PerSide<LabHost>;
  readonly #port: number;

  constructor(
    subject: Subject,
    lab: Lab,
    resources: CanaryResources,
    context: Context,
    listener: CanaryListener,
  ) {
    this.#subject = subject;
    this.#lab = lab;
    this.#resources = resources;
    this.#context = context;
    this.#listener = listener;
    this.#hosts = sidesOf(lab, subject.plan);
    const { fixed_port, site } = subject.plan.definition;
    this.#port = subject.deployed ? site.port : (fixed_port ?? DEFAULT_PORT);
  }

  /** @param locked the context that ends with the lock */
  async run(locked: Context): Promise<CanaryResult> {
    const { plan, drafts, artifacts } = this.#subject;
    const started = this.#start(locked);
    const [proxy, sides] = await Promise.all([this.#proxy(started, locked), this.#ask(started, locked)]);
    const requests = readyRequests(drafts, {
      baseline: choosePaths(drafts, 'baseline', sides.baseline.answer.statuses),
      candidate: choosePaths(drafts, 'candidate', sides.candidate.answer.statuses),
    });
    const about = { pipeline: this.#resources.version, at: this.#context.now() };
    const head = reportHead(about, plan, artifacts, this.#hosts, requests);
    this.#listener.onPlan?.(head, plan.judge === 'sequential' ? plan.config.alpha : null);
    const seen = this.#unstarted(sides) ?? (await this.#observe(sides, requests, proxy));
    return finished(plan, {
      ...head,
      hosts: this.#hostFacts(proxy.versions, sides),
      ...seen,
      logs: await this.#logs(sides),
    });
  }

  /**
   * The proxy. Local hosts share this machine's processors and have nginx already: the proxy comes when the
   * sides run, which then have to become healthy. Hosts of an inventory may have to install it.
   */
  async #proxy(started: Promise<unknown>, locked: Context): Promise<ReadyProxy> {
    const { plan, agent } = this.#subject;
    if (this.#lab.remains !== null) await started;
    return prepareProxy(this.#lab, plan.definition.site.port, agent, locked);
  }

  async #start(locked: Context): Promise<PerSide<Started>> {
    const { deployed, plan } = this.#subject;
    const faulty = SIDES.map((side) => ({ host: this.#hosts[side], units: [], databases: [] }));
    await checkFaults(plan.faults, faulty, locked);
    if (deployed) await this.#prepareData(locked);
    const [baseline, candidate] = await bothSides((side) =>
      deployed ? this.#deploy(side, locked) : this.#serve(side, locked),
    );
    return { baseline, candidate };
  }

  /** Hosts that are closed and measured, with databases that hold the same. */
  async #prepareData(locked: Context): Promise<void> {
    const { agent } = this.#subject;
    await bothSides((side) => prepareReleaseHost(this.#lab, this.#hosts[side], this.#port, agent, locked));
    const releases = { baseline: this.#release('baseline'), candidate: this.#release('candidate') };
    await fillDatabases(this.#hosts, releases, this.#subject.backups, locked);
  }

  #release(side: SideName): ReleaseOnSide {
    const { plan, artifacts, secrets } = this.#subject;
    const { app, definition } = plan;
    return {
      config: labConfig(this.#resources.config, app, definition),
      app,
      artifact: artifacts[side],
      secrets,
    };
  }

  /** A single Node service by itself. */
  async #serve(side: SideName, locked: Context): Promise<Started> {
    const { plan, artifacts, secrets, agent } = this.#subject;
    const host = this.#hosts[side];
    const spec = await serviceSpec(this.#resources.config, plan, artifacts[side], secrets);
    const versions = await prepareSide(this.#lab, host, this.#port, spec, agent, hidden(secrets), locked);
    return { versions, running: { units: [UNIT], address: '127.0.0.1', port: this.#port } };
  }

  /** Whatever a deploy brings. */
  async #deploy(side: SideName, locked: Context): Promise<Started> {
    const host = this.#hosts[side];
    const release = this.#release(side);
    const running = await deploySide(host, release, locked);
    return { versions: await versionsOn(host, release.artifact, locked), running };
  }

  async #ask(started: Promise<PerSide<Started>>, locked: Context): Promise<PerSide<Prepared>> {
    const sides = await started;
    const [baseline, candidate] = await bothSides(async (side) => {
      const { versions, running } = sides[side];
      if ('trouble' in running) {
        return { versions, answersAt: '', units: [], lines: running.lines, answer: silence(running) };
      }
      const { units, address, port } = running;
      const answer = await this.#probe(side, running, locked);
      return { versions, answersAt: `${address}:${port}`, units, answer };
    });
    return { baseline, candidate };
  }

  /** Whether it is healthy by its definition, and which paths it knows. */
  #probe(side: SideName, { units, address, port }: Running, locked: Context): Promise<ProbeAnswer> {
    const { plan, agent, drafts, deployed, artifacts } = this.#subject;
    const { definition } = plan;
    const { health } = definition;
    const wish = {
      unit: units[0] ?? UNIT,
      address,
      port,
      ...(deployed ? { site: this.#port } : {}),
      health: {
        ...health,
        path: healthPath(definition),
        within: healthWithin(health, artifacts[side].runtime),
      },
      requests: probesFor(drafts, side),
    };
    const program = `${nodePath(agent.node)} ${agentPath(agent)}`;
    return probe(this.#hosts[side].connection, program, wish, locked);
  }

  /** The record of an experiment that cannot begin; null where both sides answer. */
  #unstarted(sides: PerSide<Prepared>): Observed | null {
    const events = SIDES.flatMap((side) => neverStarted(side, sides[side].answer) ?? []);
    if (events.length === 0) return null;
    return {
      stopped: 'never started',
      events,
      load: null,
      differences: [],
      remarks: [],
      experiment: { config: mutable(this.#subject.plan.config), seconds: [], ended: true },
    };
  }

  async #observe(
    sides: PerSide<Prepared>,
    requests: readonly ReadyRequest[],
    { noIpv6 }: ReadyProxy,
  ): Promise<Observed> {
    const { plan, agent } = this.#subject;
    const answers = { baseline: sides.baseline.answer, candidate: sides.candidate.answer };
    const observed = await observeExperiment(
      {
        plan,
        lab: this.#lab,
        hosts: this.#hosts,
        answersAt: { baseline: sides.baseline.answersAt, candidate: sides.candidate.answersAt },
        databases: databaseUnits(plan),
        units: { baseline: sides.baseline.units, candidate: sides.candidate.units },
        agent,
        requests,
        proxy: nginxProxy(this.#lab.hosts.proxy.connection, this.#context),
        site: siteOf(plan, this.#hosts, this.#port, requests, noIpv6),
        onSnapshot: this.#listener.onSnapshot ?? (() => {}),
      },
      this.#context,
    );
    return {
      ...observed,
      remarks: [...healthRemarks(answers), ...pathRemarks(requests), ...observed.remarks],
    };
  }

  #hostFacts(proxy: Readonly<Record<string, string>>, sides: PerSide<Prepared>): RunRecord['hosts'] {
    return [
      { name: this.#lab.hosts.proxy.name, role: 'proxy', versions: { ...proxy } },
      ...SIDES.map((side) => ({
        name: this.#hosts[side].name,
        role: side,
        versions: { ...sides[side].versions },
      })),
    ];
  }

  async #logs(sides: PerSide<Prepared>): Promise<RunRecord['logs']> {
    const secrets = hidden(this.#subject.secrets);
    const [baseline, candidate] = await Promise.all(
      SIDES.map(async (side) => [
        ...(sides[side].lines ??
          (await journalOf(this.#hosts[side], sides[side].units, secrets, this.#context))),
      ]),
    );
    return { baseline: baseline ?? [], candidate: candidate ?? [] };
  }
}

/** The same on both sides, at once. */
function bothSides<T>(work: (side: SideName) => Promise<T>): Promise<readonly [baseline: T, candidate: T]> {
  return Promise.all([work('baseline'), work('candidate')]);
}

/** Both refs side by side; a ref that does not exist is said before anything is built or made. */
async function bothRefs(
  config: Config,
  plan: RunPlan,
  options: CanaryOptions,
  context: Context,
): Promise<[Artifact, Artifact]> {
  // The first one fetches; the second finds the repository fetched, and both build side by side from there
  // on.
  const built = await Promise.allSettled([
    buildArtifact(config, plan.app, options.baseline, context),
    buildArtifact(config, plan.app, options.candidate, context),
  ]);
  const failed = built.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  const [baseline, candidate] = built.flatMap((result) =>
    result.status === 'fulfilled' ? [result.value] : [],
  );
  if (baseline === undefined || candidate === undefined) throw new Error('two refs are built');
  return [baseline, candidate];
}

async function serviceSpec(
  config: Config,
  plan: RunPlan,
  artifact: Artifact,
  secrets: Readonly<Record<string, string>>,
): Promise<ServiceSpec> {
  const { app, definition } = plan;
  const { env, overlay, manifest } = await wantedRelease(
    app,
    definition,
    artifact,
    { ...missingDatabases(definition), ...secrets },
    config.directory,
  );
  return {
    app,
    artifact,
    node: artifact.node ?? '',
    env: { ...env, [definition.port_variable]: String(definition.fixed_port ?? DEFAULT_PORT) },
    overlay,
    tree: manifest.tree,
    memoryBytes: definition.memory,
  };
}

function databaseUnits({ app, definition }: RunPlan): readonly string[] {
  return Object.entries(definition.databases).map(([key, one]) =>
    databaseUnit({ app, key, definition: one }),
  );
}

/** Of a version that a deploy could not start. */
function silence({ trouble }: NotRunning): ProbeAnswer {
  return { answers: false, healthy: false, last: trouble, statuses: [] };
}

function finished(plan: RunPlan, run: RunRecord): CanaryResult {
  const verdict = conclude(run, plan.judge);
  const kinds = { passed: 'done', failed: 'rejected', inconclusive: 'inconclusive' } as const;
  const interrupted = run.stopped === 'interrupted' && verdict.verdict === 'inconclusive';
  return { report: { ...run, verdict }, exitKind: interrupted ? 'interrupted' : kinds[verdict.verdict] };
}
