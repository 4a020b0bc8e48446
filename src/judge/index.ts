/**
 * A canary's judges, usable as a library: numbers in, verdict out, without I/O or the rest of pipeline.
 *
 * - The sequential judge: `createSequentialJudge`, `observe` second by second, `verdict` whenever you like;
 *   `judgeExperiment` for a recording. Its error rates hold over all looks together.
 * - Kayenta's: `judgeKayenta` answers as Netflix's and Google's judge does; `toKayentaDocument` makes a
 *   document for it from a recording.
 *
 * docs/judge.md and docs/kayenta.md say what they compute, and what they promise under which assumptions.
 */

export { bucketOf, histogramOf, upperEdge } from './histogram.ts';
export { JudgeInputError } from './input-error.ts';
export { type KayentaDocument, toKayentaDocument } from './kayenta/from-experiment.ts';
export { KAYENTA_JUDGE_NAME, readKayentaInput } from './kayenta/input.ts';
export { judgeKayenta } from './kayenta/judge.ts';
export type * from './kayenta/types.ts';
export { seededUniform } from './random.ts';
export { defaultSequentialConfig, type SequentialOptions, sequentialConfig } from './sequential/config.ts';
export { createSequentialJudge, observe, type SequentialState } from './sequential/state.ts';
export { judgeExperiment, type VerdictOptions, verdict } from './sequential/verdict.ts';
export type * from './types.ts';
export { HISTOGRAM_GAMMA } from './types.ts';
