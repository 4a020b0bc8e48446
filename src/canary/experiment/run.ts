/** `pipeline canary`: from two refs to a verdict. Thin: what to do is decided elsewhere, here it is done. */

import type { Artifact } from '../../build/artifact.ts';
import { buildArtifact } from '../../build/build.ts';
import { healthWithin } from '../../config/health.ts';
import type { Config } from '../../config/schema.ts';
import type { Context } from '../../context.ts';
import { missingDatabases } from '../../database/index.ts';
import { Failure } from '../../errors.ts';
import { nginxProxy } from '../../proxy/nginx.ts';
import { withLock } from '../../release/index.ts';
import { hidden, resolveSecrets } from '../../release/secrets.ts';
import { wantedRelease } from '../../release/wanted.ts';
import type { CanaryReport } from '../../report/document.ts';
import type { Snapshot } from '../../report/terminal.ts';
import { conclude, type RunRecord } from '../judging/conclude.ts';
import { mutable } from '../judging/mutable.ts';
import { openLab } from '../lab/hosts.ts';
import { agentFiles, cleanHosts, journalOf, prepareProxy, prepareSide } from '../lab/prepare.ts';
import { probe } from '../lab/probe.ts';
import { DEFAULT_PORT, nodePath, type ServiceSpec } from '../lab/service.ts';
import { siteOf } from '../lab/site.ts';
import { choosePaths, draftRequests, probesFor, readyRequests } from '../load/requests.ts';
import { observeExperiment } from './observe.ts';
import { type CanaryOptions, planRun, type RunPlan } from './plan.ts';
import { healthRemarks, neverStarted, pathRemarks, reportHead } from './record.ts';
import { SIDES, sidesOf } from './sides.ts';

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

export interface CanaryResources {
  readonly config: Config;
  /** Version of pipeline, for the report. */
  readonly version: string;
  /** The agent's bundle on this machine. */
  readonly agent: string;
}

/**
 * Runs the experiment and removes what it made, also after a failure.
 * @throws Failure kind `usage` for an unknown application or ref (before any host is made); kind `host` where a build or a host fails; kind `locked`
 *   where another canary uses the hosts.
 */
export async function runCanary(
  options: CanaryOptions,
  resources: CanaryResources,
  context: Context,
  listener: CanaryListener = {},
): Promise<CanaryResult> {
  const { config } = resources;
  const plan = planRun(config, options);
  const [baseline, candidate] = await bothRefs(config, plan, options, context);
  const drafts = await draftRequests(config, plan, [baseline.commit ?? '', candidate.commit ?? ''], context);
  // What is generated lives as long as the experiment, and both sides have the same.
  const { values } = await resolveSecrets(plan.app, plan.definition.secrets, [], config.directory, context);
  const secrets = hidden(values);
  const agent = await agentFiles(resources.agent, [baseline, candidate], context);

  const lab = await openLab(config, plan, options.inventory, context);
  listener.onHosts?.(lab.remains);
  let keep = options.keep;
  try {
    return await withLock(
      lab.hosts.proxy.connection,
      { command: `pipeline canary ${options.baseline} ${options.candidate}` },
      context,
      async (locked) => {
        const result = await experiment(locked);
        await listener.onResult?.(result);
        return result;
      },
    );
  } catch (error) {
    // Another canary uses these hosts: they are not ours to remove.
    if (error instanceof Failure && error.kind === 'locked') keep = true;
    throw error;
  } finally {
    if (!keep && lab.remains === null) await cleanHosts(lab, plan.app, context);
    await lab.close({ keep });
  }

  async function experiment(locked: Context): Promise<CanaryResult> {
    const artifacts = { baseline, candidate };
    const port = plan.definition.fixed_port ?? DEFAULT_PORT;
    const hosts = sidesOf(lab, plan);
    const [proxyVersions, ...sides] = await Promise.all([
      prepareProxy(lab, plan.definition.site.port, agent, locked),
      ...SIDES.map(async (side) => {
        const spec = await serviceSpec(config, plan, artifacts[side], values);
        const versions = await prepareSide(lab, hosts[side], port, spec, agent, secrets, locked);
        const answer = await probe(
          hosts[side].connection,
          nodePath(agent.node),
          {
            port,
            health: { ...plan.definition.health, within: healthWithin(plan.definition.health, 'node') },
            requests: probesFor(drafts, side),
          },
          locked,
        );
        return { versions, answer };
      }),
    ]);
    const [base, cand] = sides;
    if (base === undefined || cand === undefined) throw new Error('two sides are prepared');
    const requests = readyRequests(drafts, {
      baseline: choosePaths(drafts, 'baseline', base.answer.statuses),
      candidate: choosePaths(drafts, 'candidate', cand.answer.statuses),
    });
    const about = { pipeline: resources.version, at: context.now() };
    const head = reportHead(about, plan, artifacts, hosts, requests);
    listener.onPlan?.(head, plan.judge === 'sequential' ? plan.config.alpha : null);
    const facts = {
      ...head,
      hosts: [
        { name: lab.hosts.proxy.name, role: 'proxy' as const, versions: { ...proxyVersions } },
        { name: hosts.baseline.name, role: 'baseline' as const, versions: { ...base.versions } },
        { name: hosts.candidate.name, role: 'candidate' as const, versions: { ...cand.versions } },
      ],
    };
    const logs = async () => ({
      baseline: await journalOf(hosts.baseline, secrets, context),
      candidate: await journalOf(hosts.candidate, secrets, context),
    });

    const answers = { baseline: base.answer, candidate: cand.answer };
    const unstarted = SIDES.flatMap((side) => neverStarted(side, answers[side]) ?? []);
    if (unstarted.length > 0) {
      return finished(plan, {
        ...facts,
        stopped: 'never started',
        events: unstarted,
        load: null,
        differences: [],
        remarks: [],
        logs: await logs(),
        experiment: { config: mutable(plan.config), seconds: [], ended: true },
      });
    }

    const proxy = nginxProxy(lab.hosts.proxy.connection, context);
    const site = siteOf(plan, hosts, port, requests);
    const observed = await observeExperiment(
      { plan, lab, hosts, agent, requests, proxy, site, onSnapshot: listener.onSnapshot ?? (() => {}) },
      context,
    );
    return finished(plan, {
      ...facts,
      ...observed,
      remarks: [...healthRemarks(answers), ...pathRemarks(requests), ...observed.remarks],
      logs: await logs(),
    });
  }
}

/** Both refs side by side; a ref that does not exist is said before anything is built or made. */
async function bothRefs(
  config: Config,
  plan: RunPlan,
  options: CanaryOptions,
  context: Context,
): Promise<[Artifact, Artifact]> {
  // The first one fetches; the second finds the repository fetched, and both build side by side from there on.
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
  for (const artifact of [baseline, candidate]) {
    if (artifact.runtime === 'node') continue;
    throw new Failure('usage', `${plan.app} is built for ${artifact.runtime}; a canary runs Node services.`, {
      next: 'Judge what you measured elsewhere: pipeline judge FILE --judge kayenta.',
    });
  }
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

function finished(plan: RunPlan, run: RunRecord): CanaryResult {
  const verdict = conclude(run, plan.judge);
  const kinds = { passed: 'done', failed: 'rejected', inconclusive: 'inconclusive' } as const;
  const interrupted = run.stopped === 'interrupted' && verdict.verdict === 'inconclusive';
  return { report: { ...run, verdict }, exitKind: interrupted ? 'interrupted' : kinds[verdict.verdict] };
}
