/** One execution as the API keeps it, and as Kayenta would answer about it. Pure. */
import type { KayentaJudgeResult } from '../../judge/index.ts';
import type { KayentaWord } from '../judging/kayenta-doubts.ts';

/** Who asked, and for what. */
export interface ExecutionRequest {
  readonly application: string;
  readonly user: string;
  /** `ad-hoc` where the configuration came with the request. */
  readonly configId: string;
  readonly config: unknown;
  /** `executionRequest` as it came. */
  readonly request: unknown;
  /** Names of Kayenta's accounts, given back as they came. */
  readonly accounts: Readonly<Record<'metrics' | 'storage' | 'configuration', string>>;
}

/** Why an execution has no result. */
export interface ExecutionError {
  readonly message: string;
  readonly next: string | null;
}

interface Run extends ExecutionRequest {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly received: number;
  /** null: it runs. */
  readonly ended: number | null;
  readonly error: ExecutionError | null;
}

/** One judgement. */
export interface CanaryExecution extends Run {
  readonly kind: 'canary';
  /** null: none yet, or an error. */
  readonly word: KayentaWord | null;
  /** Score from which it passes, and above which it is not a failure. */
  readonly thresholds: { readonly pass: number; readonly marginal: number };
}

/** A standalone analysis: judgements one after another, until one fails. */
export interface AnalysisExecution extends Run {
  readonly kind: 'analysis';
  /** Those that were made. Times in milliseconds since 1970. */
  readonly judgements: readonly {
    readonly id: string;
    readonly start: number;
    readonly end: number;
    readonly score: number | null;
    readonly notes: readonly string[];
  }[];
  readonly thresholds: { readonly pass: number; readonly marginal: number };
}

export type Execution = CanaryExecution | AnalysisExecution;

/**
 * Kayenta's result, with a score that says what it is worth: whoever reads the score alone, as Argo Rollouts
 * does, must not take missing data for a pass. A pass that was withdrawn gets a hundredth less than passes:
 * Argo, which drops the fraction, then finds it inconclusive.
 */
export function servedResult(
  { result, outcome, notes }: KayentaWord,
  { pass }: { readonly pass: number },
): KayentaJudgeResult {
  const { score } = result;
  const classificationReason = [score.classificationReason, ...notes].filter(Boolean).join(' ');
  if (outcome !== 'inconclusive' || score.score < pass)
    return { ...result, score: { ...score, classificationReason } };
  return {
    ...result,
    score: { score: Math.max(0, pass - 0.01), classification: 'Marginal', classificationReason },
  };
}

/** What `GET /canary/ID` answers. */
export function canaryAnswer(execution: CanaryExecution) {
  const { word, thresholds } = execution;
  const state = stateOf(execution);
  return {
    ...common(execution),
    stageStatus: { judge: state },
    status: state,
    ...(word === null ? {} : { result: { judgeResult: servedResult(word, thresholds) } }),
    config: execution.config,
    canaryExecutionRequest: execution.request,
    configurationAccountName: execution.accounts.configuration,
    ...(word === null || word.notes.length === 0 ? {} : { warnings: word.notes }),
  };
}

/** What `GET /standalone_canary_analysis/ID` answers. */
export function analysisAnswer(
  execution: AnalysisExecution,
  children: readonly (CanaryExecution | undefined)[],
) {
  const state = stateOf(execution);
  const { judgements } = execution;
  return {
    ...common(execution),
    user: execution.user,
    stageStatus: judgements.map(({ score }, index) => ({
      name: `Run Canary #${index + 1}`,
      status: score === null ? 'terminal' : 'succeeded',
    })),
    status: state,
    executionStatus: state.toUpperCase(),
    canaryConfig: execution.config,
    canaryAnalysisExecutionRequest: execution.request,
    ...(execution.ended === null
      ? {}
      : { canaryAnalysisExecutionResult: analysisResult(execution, children) }),
  };
}

function analysisResult(execution: AnalysisExecution, children: readonly (CanaryExecution | undefined)[]) {
  const { judgements } = execution;
  return {
    ...conclusion(execution),
    hasWarnings: judgements.some(({ notes }) => notes.length > 0),
    canaryScores: judgements.map(({ score }) => score ?? 0),
    canaryExecutionResults: judgements.map(({ id, start, end, notes }, index) => {
      const child = children[index];
      return {
        executionId: id,
        executionStatus: child === undefined ? 'TERMINAL' : stateOf(child).toUpperCase(),
        ...(child?.error == null ? {} : { exception: exceptionOf(child.error) }),
        ...(child?.word == null ? {} : { result: canaryAnswer(child).result }),
        judgementStartTimeIso: iso(start),
        judgementStartTimeMillis: start,
        judgementEndTimeIso: iso(end),
        judgementEndTimeMillis: end,
        warnings: notes,
      };
    }),
    buildTimeIso: iso(execution.received),
    startTimeIso: iso(execution.received),
    endTimeIso: iso(execution.ended ?? execution.received),
  };
}

/** The last judgement decides; the thresholds count as in Kayenta's `GenerateCanaryAnalysisResultTask`. */
function conclusion({ judgements, thresholds, error }: AnalysisExecution) {
  const last = judgements.at(-1)?.score ?? null;
  const failed = (canaryScoreMessage: string) => ({ didPassThresholds: false, canaryScoreMessage });
  if (error !== null) return failed(error.message);
  if (last === null) return failed('There were no successful canary judgements to aggregate');
  if (fails(last, thresholds))
    return failed(`Final canary score ${last} is not above the marginal score threshold.`);
  if (last < thresholds.pass) return failed(`Final canary score ${last} is below the pass score threshold.`);
  return {
    didPassThresholds: true,
    canaryScoreMessage: `Final canary score ${last} met or exceeded the pass score threshold.`,
  };
}

/** Whether a score ends an analysis at once. */
export function fails(score: number, { marginal }: { readonly marginal: number }): boolean {
  return score <= marginal;
}

type State = 'running' | 'succeeded' | 'terminal';

function stateOf(execution: Execution): State {
  if (execution.ended === null) return 'running';
  if (execution.error !== null) return 'terminal';
  if (execution.kind === 'canary') return 'succeeded';
  const last = execution.judgements.at(-1)?.score ?? null;
  return last === null || fails(last, execution.thresholds) ? 'terminal' : 'succeeded';
}

/** Fields that both answers have. */
function common(execution: Execution) {
  const { received, ended, error } = execution;
  return {
    application: execution.application,
    pipelineId: execution.id,
    complete: ended !== null,
    ...(error === null ? {} : { exception: exceptionOf(error) }),
    canaryConfigId: execution.configId,
    buildTimeMillis: received,
    buildTimeIso: iso(received),
    startTimeMillis: received,
    startTimeIso: iso(received),
    ...(ended === null ? {} : { endTimeMillis: ended, endTimeIso: iso(ended) }),
    metricsAccountName: execution.accounts.metrics,
    storageAccountName: execution.accounts.storage,
  };
}

/** As Orca writes an exception. */
const exceptionOf = ({ message, next }: ExecutionError) => ({
  details: { errors: next === null ? [message] : [message, next] },
});

const iso = (at: number) => new Date(at).toISOString();
