/** How long each side took to answer as before, after a fault. Pure. */
import { type Fault, parseFault } from '../../config/faults.ts';
import { SIDES, type SideName } from '../../judge/sides.ts';
import type { PerSide, Second, SideSecond } from '../../judge/types.ts';
import { mergeHistograms, quantile } from '../../metrics/histogram.ts';
import type { CanaryReport, ReportVerdict } from '../../report/document.ts';
import { asHistogram } from '../../report/series.ts';

/** Good seconds in a row that make a recovery. */
const GOOD_SECONDS = 3;
/** More failures than before, as a share, that make a second bad. */
const MORE_FAILURES = 0.05;
/** So many times the median of before, and so many milliseconds more, make a second slow. */
const SLOWER = 3;
const SLOWER_MS = 20;

/**
 * Seconds from when the fault ended (of a kill: from the kill) until the first of three good seconds in a
 * row; null: the side did not recover as long as it was watched, or nothing is known of before.
 */
export function recovery(
  seconds: readonly Second[],
  fault: Pick<Fault, 'kind' | 'at' | 'seconds'>,
): PerSide<number | null> {
  const [baseline, candidate] = SIDES.map((side) => recoveryOf(seconds, side, fault));
  return { baseline: baseline ?? null, candidate: candidate ?? null };
}

function recoveryOf(
  seconds: readonly Second[],
  side: SideName,
  { kind, at, seconds: lasts }: Pick<Fault, 'kind' | 'at' | 'seconds'>,
): number | null {
  const from = kind.startsWith('kill') ? at : at + lasts;
  const before = seconds.filter((second) => second.at < at).map((second) => second[side]);
  if (before.length === 0) return null;
  const usual = { failed: failureShare(before), median: medianOf(before) ?? 0 };
  const isGood = (second: SideSecond) =>
    failureShare([second]) <= usual.failed + MORE_FAILURES &&
    (medianOf([second]) ?? 0) <= Math.max(SLOWER * usual.median, usual.median + SLOWER_MS);
  let good = 0;
  for (const second of seconds) {
    if (second.at < Math.floor(from)) continue;
    if (requestsOf(second[side]) === 0) continue;
    good = isGood(second[side]) ? good + 1 : 0;
    if (good === GOOD_SECONDS) return Math.max(0, second.at - (GOOD_SECONDS - 1) - Math.floor(from));
  }
  return null;
}

function requestsOf({ routes }: SideSecond): number {
  return Object.values(routes).reduce((sum, { requests }) => sum + requests, 0);
}

function failureShare(seconds: readonly SideSecond[]): number {
  let [all, good] = [0, 0];
  for (const { routes } of seconds) {
    for (const { requests, status } of Object.values(routes)) {
      all += requests;
      good += (status['2xx'] ?? 0) + (status['3xx'] ?? 0) + (status['4xx'] ?? 0);
    }
  }
  return all === 0 ? 0 : 1 - good / all;
}

function medianOf(seconds: readonly SideSecond[]): number | null {
  const parts = seconds.flatMap(({ routes }) =>
    Object.values(routes).map(({ latency }) => asHistogram(latency)),
  );
  return quantile(mergeHistograms(parts), 0.5) ?? null;
}

/** A line of the report for each fault: how long each side took to recover. It is one figure, so no test. */
export function recoveries({
  plan,
  experiment,
}: Pick<CanaryReport, 'plan' | 'experiment'>): ReportVerdict['metrics'] {
  return (plan.faults ?? []).flatMap((text) => {
    const fault = parseFault(text);
    // What was to be done after the end was not done.
    if (typeof fault === 'string' || !(fault.at < (experiment.seconds.at(-1)?.at ?? 0))) return [];
    const observed = recovery(experiment.seconds, fault);
    const { baseline, candidate } = observed;
    const value = baseline === null || candidate === null ? null : candidate - baseline;
    return [
      {
        name: `recovery after ${text}`,
        kind: 'recovery' as const,
        role: 'informative' as const,
        critical: false,
        weight: 0,
        verdict: value === null ? ('no data' as const) : ('inconclusive' as const),
        observed: { ...observed },
        unit: 's',
        effect: { name: 'difference of the seconds to recover', scale: 'difference' as const, value },
        interval: null,
        level: experiment.config.intervalLevel,
        samples: { baseline: 1, candidate: 1 },
        sampleUnit: 'faults',
        evidence: null,
        needsRequests: null,
        reason: recoverySentence(text, observed),
      },
    ];
  });
}

/** `Recovery after kill:database: the baseline 2 s, the candidate 9 s.` */
function recoverySentence(text: string, { baseline, candidate }: PerSide<number | null>): string {
  const said = (seconds: number | null) => (seconds === null ? 'not within the experiment' : `${seconds} s`);
  return `Recovery after ${text}: the baseline ${said(baseline)}, the candidate ${said(candidate)}.`;
}
