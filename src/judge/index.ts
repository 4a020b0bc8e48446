/**
 * The judges of a canary, usable as a library: numbers in, verdict out, no input or output, no dependency on the rest of pipeline.
 *
 * - `judgeKayenta`: the answer that Netflix's and Google's Kayenta gives to the same document.
 */

export { bucketOf, histogramOf, upperEdge } from './histogram.ts';
export { JudgeInputError } from './input-error.ts';
export { judgeKayenta, KAYENTA_JUDGE_NAME } from './kayenta/judge.ts';
export type * from './kayenta/types.ts';
export type * from './types.ts';
export { HISTOGRAM_GAMMA } from './types.ts';
