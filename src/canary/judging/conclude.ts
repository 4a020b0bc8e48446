/**
 * From a report's data to its verdict: the judge's word about the numbers, and what the facts of the run say
 * besides. Pure, and the only place where a verdict comes from, so that one computed again from the file is
 * the same.
 */
import { duration } from '../../format.ts';
import { judgeExperiment, judgeKayenta, toKayentaDocument } from '../../judge/index.ts';
import type { CanaryVerdict } from '../../judge/types.ts';
import { quantile } from '../../metrics/histogram.ts';
import type { CanaryReport, ReportEvent, ReportVerdict } from '../../report/document.ts';
import { formatNumber, formatShare, shortCommit } from '../../report/format.ts';
import { asHistogram } from '../../report/series.ts';
import { weigh } from './kayenta-doubts.ts';
import { fromKayenta } from './kayenta-verdict.ts';
import { mutable } from './mutable.ts';
import { recoveries } from './recovery.ts';
import { saturation, standsDespiteQueues } from './saturation.ts';

/** A report before its verdict. */
export type RunRecord = Omit<CanaryReport, 'verdict'>;

export type JudgeName = ReportVerdict['judge'];

/** The verdict about a run, by the judge of that name. */
export function conclude(run: RunRecord, judge: JudgeName): ReportVerdict {
  const sequential = judgeExperiment(run.experiment);
  const said = judge === 'sequential' ? fromSequential(sequential) : byKayenta(run, sequential);
  const queues = queuesOf(run);
  const { verdict, tellsOfQueues = false } = override(run, said, queues);
  const recovered = recoveries(run);
  const hopeless = queues?.hopeless === true && !tellsOfQueues ? queues.reason : null;
  return {
    ...verdict,
    metrics: [...verdict.metrics, ...recovered],
    notes: [...verdict.notes, ...recovered.map(({ reason }) => reason), ...remarks(run, hopeless)],
  };
}

function byKayenta({ experiment }: RunRecord, sequential: CanaryVerdict): ReportVerdict {
  const document = toKayentaDocument(experiment);
  return fromKayenta(weigh(document, judgeKayenta(document)), sequential);
}

function fromSequential(verdict: CanaryVerdict): ReportVerdict {
  const { judge, score, reason, decidedBy, needs, notes, metrics, samples, stoppedAfter } = verdict;
  return mutable({
    judge,
    verdict: verdict.verdict,
    score,
    reason,
    decidedBy,
    needs,
    notes,
    metrics,
    samples,
    stoppedAfter,
  });
}

/** A verdict after the facts of the run were weighed. */
interface Weighed {
  readonly verdict: ReportVerdict;
  /** Its reason is that requests queued. */
  readonly tellsOfQueues?: boolean;
}

/**
 * What the facts say against the judge's word; facts about a lost side outweigh a pass, and never a failure.
 */
function override(run: RunRecord, said: ReportVerdict, queues: Queues): Weighed {
  const unable = withoutComparison(run, said);
  if (unable !== null) return { verdict: unable };
  if (said.verdict === 'failed') {
    if (queues === null || standsDespiteQueues(said, run.experiment.seconds)) return { verdict: said };
    const reason = `${queues.reason} What looks like harm may be the queue's.`;
    const score = Math.max(said.score, UNPROVEN);
    return { verdict: { ...inconclusive(said, reason), score, needs: LESS_LOAD }, tellsOfQueues: true };
  }
  const lost = lostSides(run, said);
  if (lost !== null) return { verdict: lost };
  if (said.verdict === 'passed' && queues?.hopeless === true) {
    const reason = `${queues.reason} That the candidate did no worse there may be luck.`;
    return { verdict: { ...inconclusive(said, reason), needs: LESS_LOAD }, tellsOfQueues: true };
  }
  const refused = bothRefuse(run);
  if (refused !== null) return { verdict: inconclusive(said, refused) };
  if (run.stopped === 'interrupted' && said.verdict === 'inconclusive') {
    return { verdict: inconclusive(said, `Interrupted. ${said.reason}`) };
  }
  return { verdict: said };
}

function inconclusive(said: ReportVerdict, reason: string): ReportVerdict {
  return { ...said, verdict: 'inconclusive', reason, decidedBy: [] };
}

function failed(said: ReportVerdict, reason: string): ReportVerdict {
  return { ...said, verdict: 'failed', score: 0, reason, decidedBy: [], needs: null };
}

/** A side never started, or no request arrived; null where there is something to compare. */
function withoutComparison(run: RunRecord, said: ReportVerdict): ReportVerdict | null {
  const unstarted = run.events.filter(({ kind }) => kind === 'never started');
  if (unstarted.length > 0) {
    const details = unstarted.map(({ detail }) => detail).join(' ');
    if (unstarted.every(({ side }) => side === 'candidate')) return failed(said, details);
    const rest =
      unstarted.length > 1 ? 'Neither side runs' : 'Without a baseline there is nothing to compare with';
    return inconclusive(said, `${details} ${rest}.`);
  }
  if (said.samples.baseline + said.samples.candidate > 0) return null;
  const sent = run.load?.sent ?? 0;
  return inconclusive(
    said,
    sent === 0
      ? 'No request was sent, so nothing is known.'
      : `${formatNumber(sent)} requests were sent and none was seen by the proxy, so nothing is known.`,
  );
}

/** A side that died or fell silent; null where both stayed. */
function lostSides(run: RunRecord, said: ReportVerdict): ReportVerdict | null {
  const lost = run.events.filter(({ kind }) => kind === 'died' || kind === 'silent');
  if (lost.length === 0) return null;
  const when = (event: ReportEvent) =>
    event.at === null ? '' : ` after ${duration(Math.max(0, event.at) * 1000)}`;
  const words = lost.map((event) => `${event.detail.replace(/\.$/, '')}${when(event)}.`).join(' ');
  if (lost.every(({ side, kind }) => side === 'candidate' && kind === 'died')) return failed(said, words);
  return {
    ...inconclusive(said, `${words} What remains is no comparison.`),
    needs: 'hosts and services that stay',
  };
}

/** Both sides answer most of the load with errors: whatever is compared, it is not the service at work. */
function bothRefuse(run: RunRecord): string | null {
  const { brokenShare } = run.experiment.config;
  const shares = (['baseline', 'candidate'] as const).map((side) => {
    let good = 0;
    let all = 0;
    for (const second of run.experiment.seconds) {
      for (const route of Object.values(second[side].routes)) {
        good += (route.status['2xx'] ?? 0) + (route.status['3xx'] ?? 0);
        all += route.requests;
      }
    }
    return all === 0 ? 0 : 1 - good / all;
  });
  const [baseline = 0, candidate = 0] = shares;
  if (baseline < brokenShare || candidate < brokenShare) return null;
  return (
    `Both sides answer the load with errors (${formatShare(baseline)} of the baseline's requests, ` +
    `${formatShare(candidate)} of the candidate's): either both are broken or the load asks for what they ` +
    `do not have. That is no regression, and no pass either.`
  );
}

/** Score of a candidate whose harm is not proven: half of the way. */
const UNPROVEN = 50;
const LESS_LOAD = 'a lower --rate, or hosts with more to spare';

type Queues = ReturnType<typeof saturation>;

function queuesOf({ experiment: { config, seconds } }: RunRecord): Queues {
  return saturation(seconds, config.warmupSeconds);
}

/** Share of skipped requests, and lateness in ms, from which the load generator is not trusted silently. */
const SKIPPED = 0.01;
const LATE = 100;

/**
 * What a reader should know about how the data came about. `queues`: how requests queued, where the verdict
 * does not say it already.
 */
function remarks(run: RunRecord, queues: string | null): string[] {
  const { baseline, candidate, load } = run;
  const notes = [...run.remarks];
  if (baseline.commit === candidate.commit) {
    notes.push(
      `Both refs are commit ${shortCommit(baseline.commit)}: this experiment measures its own noise, and ` +
        `every alarm is a false one.`,
    );
  }
  if (queues !== null) notes.push(`${queues} Latencies are those of a queue: choose a lower --rate.`);
  for (const event of run.events) if (event.kind === 'restarted') notes.push(event.detail);
  if (load !== null && load.sent > 0) {
    const due = load.sent + load.skipped;
    if (load.skipped > SKIPPED * due) {
      notes.push(
        `${formatNumber(load.skipped)} of ${formatNumber(due)} requests were not sent, since too many ` +
          `were under way: the sides could not keep up with the rate.`,
      );
    }
    const late = quantile(asHistogram(load.lag), 0.99) ?? 0;
    if (late > LATE) {
      notes.push(
        `The machine that sends the load was busy: one request in a hundred left more than ` +
          `${formatNumber(late)} ms late. Latencies are the proxy's and are compared side by side, so the ` +
          `verdict stands.`,
      );
    }
  }
  return notes;
}
