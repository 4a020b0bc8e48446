/**
 * The JSON documents of Kayenta's remote judge (spinnaker/kayenta, `RemoteJudgeRequest` and
 * `CanaryJudgeResult`).
 */

/** Jackson writes numbers that JSON lacks as strings. */
export type JsonNumber = number | 'NaN' | 'Infinity' | '-Infinity';

/** A metric's configuration with Kayenta's defaults filled in; from `analysisConfigurations.canary`. */
export interface MetricConfig {
  readonly name: string;
  readonly groups: readonly string[];
  readonly direction: 'increase' | 'decrease' | 'either';
  readonly nanStrategy: 'remove' | 'replace';
  /** Factor of the interquartile range beyond which a value is an outlier; null: outliers are kept. */
  readonly outlierFactor: number | null;
  readonly critical: boolean;
  readonly mustHaveData: boolean;
  readonly muted: boolean;
  readonly effectSize: {
    readonly measure: 'meanRatio' | 'cles';
    readonly allowedIncrease: number;
    readonly allowedDecrease: number;
    readonly criticalIncrease: number;
    readonly criticalDecrease: number;
  };
}

/** Values of one metric on both sides, one for each time step; NaN where there was none. */
export interface MetricSetPair {
  readonly name: string;
  readonly id: string | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly control: Float64Array;
  readonly experiment: Float64Array;
}

/** A remote-judge document, read and checked. */
export interface KayentaInput {
  readonly metrics: ReadonlyMap<string, MetricConfig>;
  readonly pairs: readonly MetricSetPair[];
  readonly groupWeights: ReadonlyMap<string, number>;
  readonly thresholds: { readonly pass: number; readonly marginal: number };
  /** Share of the estimated shift that the interval must clear; Netflix fixes 0.25. */
  readonly tolerance: number;
  /** Of the Mann-Whitney interval; Netflix fixes 0.98. */
  readonly confidenceLevel: number;
}

export type MetricClassification = 'Pass' | 'High' | 'Low' | 'Nodata' | 'NodataFailMetric' | 'Error';

/** Summary statistics of one side, after NaN and outliers were handled. */
export interface SideMetadata {
  readonly stats: {
    readonly min: JsonNumber;
    readonly max: JsonNumber;
    readonly mean: JsonNumber;
    readonly std: JsonNumber;
    readonly count: number;
  };
}

/** Kayenta's `CanaryAnalysisResult`: one metric. */
export interface KayentaMetricResult {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly id?: string;
  readonly classification: MetricClassification;
  readonly classificationReason?: string;
  readonly groups: readonly string[];
  readonly experimentMetadata: SideMetadata;
  readonly controlMetadata: SideMetadata;
  /** `ratio`: mean of the experiment to mean of the control; absent where the classification failed. */
  readonly resultMetadata?: { readonly ratio: JsonNumber };
  readonly critical: boolean;
  readonly muted: boolean;
}

export interface KayentaGroupScore {
  readonly name: string;
  readonly score: number;
  readonly classification: '';
  readonly classificationReason: '';
}

/** Kayenta's `CanaryJudgeResult`: what the remote judge answers. */
export interface KayentaJudgeResult {
  readonly judgeName: string;
  readonly results: readonly KayentaMetricResult[];
  readonly groupScores: readonly KayentaGroupScore[];
  readonly score: {
    readonly score: number;
    readonly classification: 'Pass' | 'Marginal' | 'Fail';
    readonly classificationReason: string;
  };
}
