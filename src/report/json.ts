/**
 * The verdict as one JSON document for programs: the keys that the specification promises, and some more.
 */
import type { CanaryReport } from './document.ts';

/**
 * What `pipeline canary --json` and `pipeline judge --json` print. `files`: where reports were written, if
 * any.
 */
export function reportJson(
  report: CanaryReport,
  files: { readonly json?: string; readonly html?: string; readonly markdown?: string } = {},
): object {
  const { verdict } = report;
  return {
    verdict: verdict.verdict,
    score: verdict.score,
    judge: verdict.judge,
    reason: verdict.reason,
    decidedBy: verdict.decidedBy,
    needs: verdict.needs,
    notes: verdict.notes,
    metrics: verdict.metrics,
    baseline: report.baseline,
    candidate: report.candidate,
    samples: verdict.samples,
    stoppedAfter: verdict.stoppedAfter,
    stopped: report.stopped,
    events: report.events,
    app: report.app,
    seed: report.plan.seed,
    files,
  };
}
