/** From a Kayenta configuration and Prometheus to the document that Kayenta's judge takes. */
import { Failure } from '../../errors.ts';
import { readKayentaInput } from '../../judge/index.ts';
import type { Prometheus, RangeQuery } from '../../metrics/prometheus.ts';
import {
  type KayentaFile,
  type KayentaMetric,
  readKayentaFile,
  readScope,
  type ScopeOptions,
} from './kayenta-file.ts';
import { pairSeries, type SeriesPair } from './pairs.ts';
import { promQl } from './prometheus-query.ts';

/** `{canaryConfig, scoreThresholds, metricSetPairList}`, and what was odd about the values. */
interface Collected {
  readonly document: unknown;
  readonly notes: readonly string[];
}

/** One metric's queries. */
interface Asked {
  readonly name: string;
  readonly control: RangeQuery;
  readonly experiment: RangeQuery;
}

/** A configuration that was checked, and what to ask Prometheus for it. */
export interface KayentaQueries {
  readonly file: Pick<KayentaFile, 'canaryConfig' | 'scoreThresholds' | 'notes'>;
  readonly asked: readonly Asked[];
}

/**
 * What a file asks of Prometheus. The whole file is checked.
 * @param document a Kayenta configuration, `{canaryConfig, executionRequest: {scopes, thresholds}}`, or the
 *   body of a standalone analysis
 * @param path of the file, for messages
 * @throws Failure kind `usage` for what does not fit
 * @throws JudgeInputError for what the judge cannot read
 */
export function queriesFrom(document: unknown, path: string, options: ScopeOptions): KayentaQueries {
  const file = readKayentaFile(document, path);
  const { canaryConfig, scoreThresholds } = file;
  readKayentaInput({ canaryConfig, scoreThresholds, metricSetPairList: [] });
  return { file, asked: file.metrics.map((metric) => queriesOf(metric, file, options)) };
}

/**
 * The document with the values of both sides.
 * @throws Failure kind `usage` for a query that is refused; kind `host` where Prometheus cannot be asked
 */
export async function documentFrom(
  { file, asked }: KayentaQueries,
  prometheus: Prometheus,
): Promise<Collected> {
  const { canaryConfig, scoreThresholds } = file;
  const found = await Promise.all(asked.map((queries) => collect(queries, prometheus)));
  return {
    document: { canaryConfig, scoreThresholds, metricSetPairList: found.flatMap(({ pairs }) => pairs) },
    notes: [...file.notes, ...found.flatMap(({ notes }) => notes)],
  };
}

/** `queriesFrom` and `documentFrom` in one: nothing is asked before the whole file is checked. */
export async function documentFromPrometheus(
  document: unknown,
  path: string,
  options: ScopeOptions,
  prometheus: Prometheus,
): Promise<Collected> {
  return documentFrom(queriesFrom(document, path, options), prometheus);
}

function queriesOf(metric: KayentaMetric, file: KayentaFile, options: ScopeOptions): Asked {
  const { name, query } = metric;
  if (query.type !== undefined && query.type !== 'prometheus') {
    throw new Failure('usage', `Metric "${name}" is to be read from ${query.type}, not from Prometheus.`, {
      next: 'Leave it out, or give its query type: prometheus.',
    });
  }
  const of = (side: 'control' | 'experiment'): RangeQuery => {
    const scope = readScope(side, metric[side], options, name);
    const { start, end, step } = scope;
    return { query: promQl(name, query, file.templates, scope), start, end, step };
  };
  const [control, experiment] = [of('control'), of('experiment')];
  if (control.query === experiment.query && control.start === experiment.start) {
    throw new Failure(
      'usage',
      `Metric "${name}" asks the same of both sides, so it would always pass: ${control.query}`,
      { next: `Tell the versions apart by \${scope} or \${location}, with another value for each side.` },
    );
  }
  return { name, control, experiment };
}

async function collect({ name, control, experiment }: Asked, prometheus: Prometheus) {
  const [controls, experiments] = await Promise.all([
    prometheus.range(control, `metric "${name}" (baseline)`),
    prometheus.range(experiment, `metric "${name}" (candidate)`),
  ]);
  const { pairs, notes } = pairSeries(
    name,
    { ...control, series: controls.series },
    { ...experiment, series: experiments.series },
  );
  const warnings = new Set([...controls.warnings, ...experiments.warnings]);
  const attributes = { control: { query: control.query }, experiment: { query: experiment.query } };
  return {
    pairs: pairs.map((pair) => ({ ...asKayenta(name, pair), attributes })),
    notes: [...[...warnings].map((text) => `${name}: Prometheus warns: ${text}`), ...notes],
  };
}

function asKayenta(name: string, { labels, control, experiment }: SeriesPair) {
  const told = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return {
    name,
    id: [name, ...told].join(' '),
    tags: labels,
    values: { control: control.map(json), experiment: experiment.map(json) },
  };
}

/** As Kayenta writes what JSON has no number for. */
function json(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
