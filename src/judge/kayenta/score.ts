/** From classified metrics to one score: Kayenta's WeightedSumScorer and ThresholdScoreClassifier. */
import { roundToCents } from './statistics.ts';
import type { KayentaGroupScore, KayentaInput, KayentaJudgeResult, KayentaMetricResult } from './types.ts';

type Scored = Pick<KayentaMetricResult, 'classification' | 'classificationReason' | 'critical' | 'groups'>;

interface GroupScore {
  readonly name: string;
  readonly score: number;
  readonly hasData: boolean;
}

/**
 * Summary score and group scores of metrics that are not muted; groups in the order of their first metrics.
 */
export function score(
  results: readonly Scored[],
  { groupWeights, thresholds }: Pick<KayentaInput, 'groupWeights' | 'thresholds'>,
): { score: KayentaJudgeResult['score']; groupScores: KayentaGroupScore[] } {
  const groups = scoreGroups(results);
  const failure = overridingFailure(results);
  const value = failure === undefined ? summaryScore(groups, groupWeights) : 0;
  const classification =
    value >= thresholds.pass ? 'Pass' : value >= thresholds.marginal ? 'Marginal' : 'Fail';
  return {
    score: { score: value, classification, classificationReason: failure ?? '' },
    groupScores: groups.map(({ name, score }) => ({
      name,
      score,
      classification: '',
      classificationReason: '',
    })),
  };
}

/**
 * Why the score is 0 whatever the groups say: a critical metric did not pass, or half of the metrics have no
 * data.
 */
function overridingFailure(results: readonly Scored[]): string | undefined {
  const critical = results.find((result) => result.critical && result.classification !== 'Pass');
  if (critical !== undefined) return `Canary Failed: ${critical.classificationReason ?? 'null'}`;
  const missing = results.filter((result) => result.classification === 'Nodata').length;
  if ((missing / results.length) * 100 >= 50) return 'Canary Failed: 50% or more metrics returned NODATA';
  return undefined;
}

function scoreGroups(results: readonly Scored[]): GroupScore[] {
  const names = new Set(results.flatMap((result) => result.groups));
  return [...names].map((name) => {
    const labels = results.flatMap((result) =>
      result.groups.filter((group) => group === name).map(() => result.classification),
    );
    const passed = labels.filter((label) => label === 'Pass').length;
    const counted = labels.filter((label) => label !== 'Nodata' && label !== 'Error').length;
    return { name, score: counted === 0 ? 0 : (passed / counted) * 100, hasData: counted > 0 };
  });
}

/**
 * Groups without a weight share what the other weights leave of 100; a group without data counts as 100.
 */
function summaryScore(groups: readonly GroupScore[], weights: ReadonlyMap<string, number>): number {
  const weightSum = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const unweighted = groups.filter((group) => !weights.has(group.name)).length;
  const share = unweighted > 0 ? (100 - weightSum) / unweighted : 0;
  const total = groups.reduce(
    (sum, group) => sum + (group.hasData ? group.score : 100) * ((weights.get(group.name) ?? share) / 100),
    0,
  );
  return roundToCents(total);
}
