/** What a report says of a run before there are numbers. Pure. */
import type { Artifact } from '../../build/artifact.ts';
import type { ProbeAnswer } from '../../contract/probe.ts';
import { SIDES, type SideName } from '../../judge/sides.ts';
import type { PerSide } from '../../judge/types.ts';
import { REPORT_FORMAT, REPORT_VERSION, type ReportEvent, type ReportSide } from '../../report/document.ts';
import type { RunRecord } from '../judging/conclude.ts';
import type { LabHost } from '../lab/hosts.ts';
import { coverage } from '../load/replay.ts';
import type { ReadyRequest } from '../load/requests.ts';
import type { RunPlan } from './plan.ts';
import { coloursOf } from './sides.ts';

/** Versions, plan and load. `pipeline`: its own version; `at`: when it began. */
export function reportHead(
  about: { readonly pipeline: string; readonly at: Date },
  plan: RunPlan,
  artifacts: PerSide<Artifact>,
  hosts: PerSide<LabHost>,
  requests: readonly ReadyRequest[],
): Pick<
  RunRecord,
  'format' | 'version' | 'pipeline' | 'at' | 'app' | 'source' | 'baseline' | 'candidate' | 'plan'
> {
  const colours = coloursOf(plan);
  const side = (name: SideName): ReportSide => ({
    ref: artifacts[name].ref,
    commit: artifacts[name].commit ?? '',
    subject: artifacts[name].subject,
    artifact: artifacts[name].sha256,
    host: hosts[name].name,
    colour: colours[name],
  });
  return {
    format: REPORT_FORMAT,
    version: REPORT_VERSION,
    pipeline: about.pipeline,
    at: about.at.toISOString(),
    app: plan.app,
    source: plan.definition.source,
    baseline: side('baseline'),
    candidate: side('candidate'),
    plan: {
      rate: plan.rate,
      durationSeconds: plan.durationSeconds,
      split: plan.split,
      traffic: plan.traffic,
      seed: plan.seed,
      requests: requests.map(({ name, method, paths, weight, body, flow }) => ({
        name,
        method,
        path: { ...paths },
        weight: flow?.weight ?? weight,
        bodyBytes: body?.length ?? 0,
      })),
      ignoreBody: [...plan.canary.ignore_body],
      ...(plan.faults.length === 0 ? {} : { faults: plan.faults.map(({ text }) => text) }),
      ...(plan.replay === undefined ? {} : { replay: coverage(plan.replay) }),
    },
  };
}

/** The event of a side that never answered; null where it does. */
export function neverStarted(side: SideName, answer: ProbeAnswer): ReportEvent | null {
  if (answer.answers) return null;
  return {
    at: null,
    side,
    kind: 'never started',
    detail: `The ${side} never started to answer: ${answer.last}.`,
  };
}

/** Sides that answer, and not as their definition wants. */
export function healthRemarks(answers: PerSide<ProbeAnswer>): string[] {
  return SIDES.filter((side) => !answers[side].healthy).map(
    (side) => `The ${side} does not pass the health check of its definition: ${answers[side].last}.`,
  );
}

/** Requests for which the sides are asked differently. */
export function pathRemarks(requests: readonly ReadyRequest[]): string[] {
  return requests
    .filter(({ paths }) => paths.baseline !== paths.candidate)
    .map(
      ({ name, paths }) =>
        `${name}: the baseline is asked for ${paths.baseline}, the candidate for ${paths.candidate}, ` +
        `since they answer on different paths.`,
    );
}
