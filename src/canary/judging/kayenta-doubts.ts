/**
 * What Kayenta's score keeps quiet about. Its judge counts a metric that it cannot test, or has no values
 * for, as nothing or as 100; a verdict here never takes missing data for health. Pure.
 */
import { type KayentaInput, type KayentaJudgeResult, readKayentaInput } from '../../judge/index.ts';

type KayentaOutcome = 'passed' | 'failed' | 'inconclusive';

/** Kayenta's answer, and what it is worth. */
export interface KayentaWord {
  readonly result: KayentaJudgeResult;
  /** Kayenta's classification; `inconclusive` instead of a pass that missing data gave. */
  readonly outcome: KayentaOutcome;
  /** Sentences for the reader: first why a pass does not stand, then what else is missing. */
  readonly notes: readonly string[];
}

const OUTCOMES = { Pass: 'passed', Marginal: 'inconclusive', Fail: 'failed' } as const;

/**
 * @param document what was judged: `{canaryConfig, scoreThresholds, metricSetPairList}`
 * @param notes what is known of the values already
 * @throws JudgeInputError for a document that the judge cannot read
 */
export function weigh(
  document: unknown,
  result: KayentaJudgeResult,
  notes: readonly string[] = [],
): KayentaWord {
  const input = readKayentaInput(document);
  const outcome = OUTCOMES[result.score.classification];
  if (outcome === 'failed') return { result, outcome, notes };
  const doubts = [
    ...nothingCompared(input, result),
    ...absent(input),
    ...untested(input, result),
    ...endless(input, result),
  ];
  return {
    result,
    outcome: doubts.length > 0 ? 'inconclusive' : outcome,
    notes: [...doubts, ...notes, ...emptyGroups(result)],
  };
}

const hasValues = (values: Float64Array) => values.some((value) => !Number.isNaN(value));

/** Zeros that stand in for missing values on either side compare nothing. */
function nothingCompared({ pairs }: KayentaInput, { results }: KayentaJudgeResult): string[] {
  const compared = pairs.some((pair, index) => {
    const entry = results[index];
    const tested = ['Pass', 'High', 'Low'].includes(entry?.classification ?? '');
    return tested && entry?.muted === false && hasValues(pair.control) && hasValues(pair.experiment);
  });
  return compared ? [] : ['No metric has values of both sides, so nothing was compared. That is no pass.'];
}

/** Metrics of the configuration that the document has no values for. */
function absent({ metrics, pairs }: KayentaInput): string[] {
  const given = new Set(pairs.map(({ name }) => name));
  const missing = [...metrics.values()].filter(({ name, muted }) => !muted && !given.has(name));
  if (missing.length === 0) return [];
  const names = missing.map(({ name }) => name).join(', ');
  return [`The configuration has metrics without any values: ${names}. That is no pass.`];
}

/** Kayenta's score leaves out what its test cannot handle, a critical metric too. */
function untested({ metrics }: KayentaInput, { results }: KayentaJudgeResult): string[] {
  return results
    .filter(({ classification, muted }) => classification === 'Error' && !muted)
    .filter(({ name }) => metrics.get(name)?.critical === true)
    .map(({ name }) => `${name} is critical and could not be tested. That is no pass.`);
}

/** Kayenta's test passes what holds infinite values: no difference to them is a number. */
function endless({ pairs }: KayentaInput, { results }: KayentaJudgeResult): string[] {
  const isEndless = (value: number) => Math.abs(value) === Number.POSITIVE_INFINITY;
  return pairs.flatMap(({ control, experiment }, index) => {
    const entry = results[index];
    if (entry?.classification !== 'Pass' || entry.muted) return [];
    if (!control.some(isEndless) && !experiment.some(isEndless)) return [];
    return [
      `${entry.name} has infinite values, a division by zero perhaps, which cannot be compared. ` +
        'That is no pass.',
    ];
  });
}

/** Kayenta counts a group whose metrics all have no data as 100. */
function emptyGroups({ results }: KayentaJudgeResult): string[] {
  const counted = results.filter(({ muted }) => !muted);
  const groups = new Set(counted.flatMap(({ groups }) => groups));
  const empty = [...groups].filter((group) =>
    counted
      .filter(({ groups }) => groups.includes(group))
      .every(({ classification }) => classification === 'Nodata' || classification === 'Error'),
  );
  return empty.map((group) => `Group ${group} has no data; Kayenta's score counts it as 100.`);
}
