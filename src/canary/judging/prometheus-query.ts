/**
 * A metric of a Kayenta configuration as a query of Prometheus, as Kayenta itself builds it
 * (spinnaker/kayenta, `PrometheusMetricsService`, `QueryConfigUtils`): a template that begins with `PromQL:`
 * is the whole query; else `avg(metric{filters}) by (fields)`. Pure.
 */
import { Failure } from '../../errors.ts';

/** One side's traffic, as a Kayenta request names it. */
export interface Scope {
  readonly scope: string;
  readonly location?: string | undefined;
  /** Seconds since 1970. */
  readonly start: number;
  readonly end: number;
  /** Seconds. */
  readonly step: number;
  /** Kind of machine, where the query does not say it. */
  readonly resourceType?: string | undefined;
  readonly project?: string | undefined;
  readonly extendedScopeParams: Readonly<Record<string, string>>;
}

/** `query` of a metric. */
export interface PrometheusQuery {
  readonly metricName?: string | undefined;
  readonly labelBindings?: readonly string[] | undefined;
  readonly groupByFields?: readonly string[] | undefined;
  readonly customInlineTemplate?: string | undefined;
  /** The newer key: a template, or the name of one. */
  readonly template?: string | undefined;
  readonly customFilterTemplate?: string | undefined;
  readonly customFilter?: string | undefined;
  readonly resourceType?: string | undefined;
}

const WHOLE = 'PromQL:';
const TEMPLATE =
  `Write it as customInlineTemplate, e.g. ` +
  `"PromQL:sum(rate(http_requests_total{version=\\"\${scope}\\"}[1m]))".`;

/**
 * The text of the query.
 * @param name the metric's, for messages
 * @throws Failure kind `usage` for a query that Kayenta would refuse, and for template language beyond
 *   `${name}`.
 */
export function promQl(
  name: string,
  query: PrometheusQuery,
  templates: Readonly<Record<string, string>>,
  scope: Scope,
): string {
  const filter = expanded(name, query, templates, scope);
  if (filter?.startsWith(WHOLE)) return filter.slice(WHOLE.length);
  const { metricName } = query;
  if (metricName === undefined || metricName === '') {
    throw refused(name, 'has neither a metricName nor a template that begins with "PromQL:"', TEMPLATE);
  }
  const own = (query.labelBindings ?? []).map((binding) => expand(name, binding, scope));
  const filters = filter === undefined ? [...own, ...machines(name, query, scope)] : [filter, ...own];
  const by = query.groupByFields ?? [];
  return `avg(${metricName}{${filters.join(',')}})${by.length === 0 ? '' : ` by (${by.join(',')})`}`;
}

/**
 * Filters of the two kinds of machine that Kayenta knows; without any, both sides would be asked for the
 * same.
 */
function machines(name: string, query: PrometheusQuery, scope: Scope): string[] {
  const kind = query.resourceType || scope.resourceType;
  if (kind === 'gce_instance' || kind === 'aws_ec2_instance') {
    if (scope.location === undefined)
      throw refused(name, `needs the location of its scope, for ${kind}`, 'Add it there.');
    if (kind === 'aws_ec2_instance')
      return [`asg_groupName="${scope.scope}"`, `zone=~"${scope.location}.{1}"`];
    const project = scope.project === undefined ? '' : `projects/${scope.project}/`;
    return [`instance=~"${scope.scope}-.{4}"`, `zone=~".+/${project}zones/${scope.location}-.{1}"`];
  }
  if (query.labelBindings?.some((binding) => /\$\\?\{/.test(binding))) return [];
  throw refused(
    name,
    'does not say by which labels a version is known, so both sides would be the same',
    TEMPLATE,
  );
}

function expanded(
  name: string,
  query: PrometheusQuery,
  templates: Readonly<Record<string, string>>,
  scope: Scope,
): string | undefined {
  if (query.customFilter !== undefined)
    throw refused(
      name,
      'has a customFilter, which Kayenta does not take any more',
      'Write it as customInlineTemplate.',
    );
  // The metric's own kind of machine goes before its scope's, as in Kayenta's bindings.
  const bound = { ...scope, resourceType: query.resourceType || scope.resourceType };
  const { customInlineTemplate, customFilterTemplate, template: newer = '' } = query;
  const isName = Object.hasOwn(templates, newer);
  const inline = customInlineTemplate || (isName ? '' : newer);
  if (inline !== '') return expand(name, inline, bound);
  const named = isName ? newer : (customFilterTemplate ?? '');
  if (named === '') return undefined;
  const template = Object.hasOwn(templates, named) ? templates[named] : undefined;
  if (template === undefined)
    throw refused(
      name,
      `names the template "${named}", which canaryConfig.templates does not have`,
      'Add it there.',
    );
  return expand(name, template, bound);
}

/** `${scope}`, `${location}` and what extendedScopeParams has. Kayenta stores `${` as `$\{`. */
export function expand(name: string, template: string, scope: Scope): string {
  const { scope: own, location, project, resourceType, extendedScopeParams } = scope;
  const known: Readonly<Record<string, string | undefined>> = {
    scope: own,
    location,
    project,
    resourceType,
    ...extendedScopeParams,
  };
  return template.replaceAll('$\\{', '${').replaceAll(/\$\{([^}]*)\}/g, (_, key: string) => {
    const value = known[key.trim()];
    if (value !== undefined) return value;
    const names = Object.keys(known).filter((one) => known[one] !== undefined);
    throw refused(
      name,
      `asks for \${${key}}, which its scope does not have`,
      `There are ${names.join(', ')}; more come from extendedScopeParams.`,
    );
  });
}

function refused(name: string, problem: string, next: string): Failure {
  return new Failure('usage', `The query of metric "${name}" ${problem}.`, { next });
}
