/** The results of all metrics, in order of display. */
import type { MetricResult, SequentialConfig } from '../types.ts';
import type { Accounts } from './accounts.ts';
import { routeAlphaShare } from './config.ts';
import { countDraft } from './count-draft.ts';
import { type DistributionAccount, sizeQuantiles } from './distribution-account.ts';
import type { EventBlock, EventState } from './gauges.ts';
import { distanceResult, eventResult } from './other-results.ts';
import { ownResults } from './own.ts';
import { plus } from './pairs.ts';
import { gaugeDraft, quantileDraft } from './ratio-draft.ts';
import { type Draft, finish } from './results.ts';
import type { SequentialState } from './state.ts';

export function metricResults(state: SequentialState): readonly MetricResult[] {
  const { config, accounts } = state;
  const { measured } = accounts;
  const requests = state.requests.baseline + state.requests.candidate;
  const finished = (drafts: readonly (Draft | undefined)[]) =>
    drafts.flatMap((draft) => (draft === undefined ? [] : [withoutSight(finish(draft, config, requests))]));
  return [
    ...finished([
      countDraft('errors (5xx)', 'errors-5xx', accounts.errors5xx, config),
      countDraft('errors (4xx)', 'errors-4xx', accounts.errors4xx, config),
      measured.bodies ? countDraft('wrong bodies', 'bodies', accounts.bodies, config) : undefined,
      ...latencyDrafts(accounts.distributions.latency, config, {}),
      ...routeDrafts(state),
    ]),
    distanceResult(accounts.distributions.latency.distribution, config),
    ...finished(informativeDrafts(accounts, config)),
    ...eventResults(accounts, config),
    ...ownResults(accounts.own, config, requests),
  ];
}

/** From this share of differing answers on the baseline itself, bodies tell nothing. */
const BLIND = 0.5;

/** Whether bodies differ so much on the baseline itself that they cannot tell versions apart. */
export function isBlind({ kind, observed }: MetricResult): boolean {
  return kind === 'bodies' && (observed.baseline ?? 0) >= BLIND;
}

/** A metric that is blind cannot pass. */
function withoutSight(result: MetricResult): MetricResult {
  if (!isBlind(result) || result.verdict === 'high') return result;
  const why =
    "The baseline's own answers to one request differ from each other too much to tell versions apart by " +
    'them.';
  return { ...result, verdict: 'inconclusive', needsRequests: null, reason: `${result.reason} ${why}` };
}

function informativeDrafts(accounts: Accounts, config: SequentialConfig): readonly (Draft | undefined)[] {
  const { measured, distributions, gauges } = accounts;
  const wanted = (kind: 'size' | 'cpu' | 'memory') => config.metrics[kind].role === 'critical';
  return [
    measured.size || wanted('size')
      ? quantileDraft('response size', 'size', distributions.size, 0, sizeQuantiles(config)[0], config)
      : undefined,
    measured.cpuSeconds || wanted('cpu')
      ? gaugeDraft('cpu for each request', 'cpu', gauges.cpu, config)
      : undefined,
    measured.memoryBytes || wanted('memory')
      ? gaugeDraft('memory', 'memory', gauges.memory, config)
      : undefined,
  ];
}

function eventResults({ measured, gauges }: Accounts, config: SequentialConfig) {
  const { block, restarts, errorLines } = gauges;
  // Events of the open block are shown, though not tested yet.
  const shown = (state: EventState, { events, counted }: EventBlock) => ({
    ...state,
    baseline: state.baseline + events.baseline,
    candidate: state.candidate + events.candidate,
    seconds: state.seconds + block.seconds,
    counted: plus(state.counted, counted),
  });
  // A critical metric is shown even unmeasured, so that it stands in the way of a pass.
  const wanted = (kind: 'restarts' | 'error-lines') => config.metrics[kind].role === 'critical';
  return [
    ...(measured.restarts || wanted('restarts')
      ? [eventResult('restarts', 'restarts', shown(restarts, block.restarts), config)]
      : []),
    ...(measured.errorLines || wanted('error-lines')
      ? [eventResult('error lines', 'error-lines', shown(errorLines, block.errorLines), config)]
      : []),
  ];
}

function latencyDrafts(
  account: DistributionAccount,
  config: SequentialConfig,
  of: { route?: string; share?: number },
): readonly Draft[] {
  return config.quantiles.flatMap((settings, i) => {
    const name = `latency p${Number((settings.quantile * 100).toPrecision(6))}`;
    const routed = of.route === undefined ? settings : { ...settings, role: 'watched' as const };
    const draft = quantileDraft(
      of.route === undefined ? name : `${name} ${of.route}`,
      'latency',
      account,
      i,
      routed,
      config,
    );
    return draft === undefined ? [] : [{ ...draft, ...of }];
  });
}

function routeDrafts({ accounts, config }: SequentialState): readonly Draft[] {
  const routes = Object.entries(accounts.distributions.routes);
  if (routes.length < 2) return [];
  return routes.flatMap(([route, account]) =>
    latencyDrafts(account, config, { route, share: routeAlphaShare(config, account.order) }),
  );
}
