/** The evidence second by second, by judging the seconds of a report once more. Pure. */
import { createSequentialJudge, observe, verdict } from '../../judge/index.ts';
import type { Experiment, MetricResult } from '../../judge/types.ts';
import { type EvidenceTimeline, NO_EVIDENCE } from '../../report/html-charts.ts';

/** Moments that a chart can show apart; between them the evidence is not asked for. */
const MOMENTS = 150;
/** Metrics whose names stand in the charts: whole ones, not those of single routes. */
const isWhole = (metric: MetricResult) => metric.route === undefined;

/** The way of every metric's evidence towards its claims. */
export function evidenceTimeline(experiment: Experiment): EvidenceTimeline {
  const { seconds, config } = experiment;
  if (seconds.length === 0) return NO_EVIDENCE;
  const every = Math.max(1, Math.ceil(seconds.length / MOMENTS));
  const harm = new Map<string, (number | null)[]>();
  const noHarm = new Map<string, (number | null)[]>();
  const at: number[] = [];
  let state = createSequentialJudge(config);
  seconds.forEach((second, index) => {
    state = observe(state, second);
    if (index % every !== 0 && index !== seconds.length - 1) return;
    at.push(second.at + 1);
    for (const metric of verdict(state).metrics.filter(isWhole)) {
      const { evidence } = metric;
      // What decides nothing has no way towards an alarm.
      if (evidence === null || metric.role === 'informative') continue;
      put(harm, metric.name, at.length, evidence.worse / evidence.worseThreshold);
      if (metric.critical) put(noHarm, metric.name, at.length, evidence.noWorse / evidence.noWorseThreshold);
    }
  });
  const lines = (map: ReadonlyMap<string, (number | null)[]>) =>
    [...map].map(([name, shares]) => ({
      name,
      shares: [...shares, ...new Array<null>(at.length - shares.length).fill(null)],
    }));
  return { at, harm: lines(harm), noHarm: lines(noHarm) };
}

function put(map: Map<string, (number | null)[]>, name: string, position: number, share: number): void {
  const shares = map.get(name) ?? [];
  map.set(name, shares);
  while (shares.length < position - 1) shares.push(null);
  shares.push(Number.isFinite(share) ? share : null);
}
