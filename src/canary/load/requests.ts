/** The requests of an experiment: bodies from the repository, and for each side the path that it knows. */
import { posix } from 'node:path';
import { openSource, readAt } from '../../build/source.ts';
import type { CanaryConfig, CanaryFlow, CanaryRequest, CanaryStep, Config } from '../../config/schema.ts';
import type { Context } from '../../context.ts';
import type { ProbeRequest } from '../../contract/probe.ts';
import { Failure } from '../../errors.ts';
import type { PerSide } from '../../judge/types.ts';
import { pathsOf, type RunPlan } from '../experiment/plan.ts';
import type { LoadFlow, LoadRequest } from './step.ts';

type Wanted = CanaryRequest & Pick<LoadRequest, 'capture' | 'status'> & { readonly flow?: CanaryFlow };

/** A request before it is known which path each side takes. */
export interface DraftRequest {
  readonly wanted: Wanted;
  readonly body: Buffer | null;
  readonly paths: PerSide<readonly string[]>;
}

/** A request as it is sent, and what each side is asked for instead of its path. */
export interface ReadyRequest extends LoadRequest {
  readonly paths: PerSide<string>;
  /** The flow that it is a step of; absent: it stands by itself. */
  readonly flow?: CanaryFlow | undefined;
}

/** Requests by themselves, then the steps of all flows. */
function wantedIn({ requests, flows }: CanaryConfig): readonly Wanted[] {
  return [...requests, ...flows.flatMap((flow) => flow.steps.map((step) => stepOf(flow, step)))];
}

function stepOf(flow: CanaryFlow, step: CanaryStep): Wanted {
  const { name, method, path, status, ...rest } = step;
  const called = `${flow.name}: ${name ?? `${method} ${path}`}`;
  const statuses = status === undefined ? [] : [status].flat();
  return { ...rest, name: called, method, path, status: statuses, weight: 0, flow };
}

/** The flows, by the places that `wantedIn` gives their steps. */
export function loadFlows({
  requests,
  flows,
}: Pick<CanaryConfig, 'requests' | 'flows'>): readonly LoadFlow[] {
  let next = requests.length;
  return flows.map(({ name, weight, steps }) => {
    const first = next;
    next += steps.length;
    return { name, weight, steps: steps.map((_, index) => first + index) };
  });
}

/**
 * Reads the bodies. A file is the baseline's, since both sides get the same; the candidate's where only it
 * has one.
 */
export async function draftRequests(
  config: Config,
  plan: RunPlan,
  commits: readonly string[],
  context: Context,
): Promise<readonly DraftRequest[]> {
  const source = openSource(plan.definition.source, config.directory, context);
  return Promise.all(
    wantedIn(plan.canary).map(async (wanted): Promise<DraftRequest> => {
      const paths = { baseline: pathsOf(wanted, 'baseline'), candidate: pathsOf(wanted, 'candidate') };
      if (wanted.body_file === undefined) {
        return { wanted, paths, body: wanted.body === undefined ? null : Buffer.from(wanted.body) };
      }
      for (const commit of commits) {
        for (const path of [wanted.body_file, posix.join(plan.definition.directory, wanted.body_file)]) {
          const text = await readAt(source, commit, path, context);
          if (text !== undefined) return { wanted, paths, body: Buffer.from(text) };
        }
      }
      throw new Failure(
        'usage',
        `${plan.app} has no file ${wanted.body_file} at either ref, which a request of its canary sends.`,
        {
          next: `Mend body_file of apps.${plan.app}.canary.requests in ${config.path}.`,
        },
      );
    }),
  );
}

/** What a side is asked before the experiment: every path of every request that leaves a choice. */
export function probesFor(drafts: readonly DraftRequest[], side: 'baseline' | 'candidate'): ProbeRequest[] {
  return drafts.flatMap(({ wanted, body, paths }) =>
    paths[side].length < 2
      ? []
      : paths[side].map((path) => ({
          method: wanted.method,
          path,
          headers: wanted.headers,
          body: body === null ? null : body.toString('base64'),
        })),
  );
}

/** The path that a side takes for each request: the first that it answers with anything but 404. Pure. */
export function choosePaths(
  drafts: readonly DraftRequest[],
  side: 'baseline' | 'candidate',
  statuses: readonly number[],
): string[] {
  let asked = 0;
  return drafts.map(({ paths }) => {
    const options = paths[side];
    const [first = '/'] = options;
    if (options.length < 2) return first;
    const answers = statuses.slice(asked, asked + options.length);
    asked += options.length;
    return options[answers.findIndex((status) => status !== 404 && status !== 0)] ?? first;
  });
}

/**
 * The requests as they are sent. The proxy turns a path into each side's own, by the path alone, so two
 * requests that are sent to one path must go to the same paths.
 * @throws Failure kind `usage` where they do not.
 */
export function readyRequests(
  drafts: readonly DraftRequest[],
  chosen: PerSide<readonly string[]>,
): ReadyRequest[] {
  const known = new Map<string, PerSide<string>>();
  return drafts.map((draft, index): ReadyRequest => {
    const { wanted, body } = draft;
    const paths = { baseline: chosen.baseline[index] ?? '/', candidate: chosen.candidate[index] ?? '/' };
    const path = typeof wanted.path === 'string' ? wanted.path : (wanted.path[0] ?? '/');
    const before = known.get(path) ?? paths;
    known.set(path, paths);
    if (before.baseline !== paths.baseline || before.candidate !== paths.candidate) {
      throw new Failure(
        'usage',
        `Two requests of the canary have the path ${path} and mean different paths by it.`,
        {
          next: 'Give them different paths: the proxy tells them apart by nothing else.',
        },
      );
    }
    const name = wanted.name ?? `${wanted.method} ${path}`;
    const { method, headers, weight, capture, status, flow } = wanted;
    return { name, method, path, headers, body, weight, capture, status, flow, paths };
  });
}

/**
 * For the proxy: what a side is asked for instead, by path without query. Empty where nothing differs. Pure.
 */
export function pathMap(
  requests: readonly ReadyRequest[],
  side: 'baseline' | 'candidate',
): Record<string, string> {
  const bare = (path: string) => path.replace(/\?.*$/, '');
  return Object.fromEntries(
    requests
      .filter(({ path, paths }) => bare(paths[side]) !== bare(path))
      .map(({ path, paths }) => [bare(path), bare(paths[side])]),
  );
}
