/**
 * Reads values over time from Prometheus, or what speaks its HTTP API (Thanos, Mimir, VictoriaMetrics).
 * Source: prometheus.io/docs/prometheus/latest/querying/api, "Range queries".
 */

import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { duration } from '../format.ts';

/** What to ask for. Times in seconds since 1970. */
export interface RangeQuery {
  readonly query: string;
  readonly start: number;
  readonly end: number;
  /** Seconds between two values. */
  readonly step: number;
}

/** One series of the answer, without steps at which Prometheus has no value. */
export interface RangeSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: readonly number[];
  /** When each value was, in seconds since 1970. */
  readonly times?: readonly number[];
}

/** What Prometheus answers to a range query. */
export interface RangeAnswer {
  /** Empty: nothing matched, which is no failure. */
  readonly series: readonly RangeSeries[];
  /** Prometheus's warnings of a partial answer, e.g. from Thanos without one of its stores. */
  readonly warnings: readonly string[];
}

export interface Prometheus {
  /**
   * @throws Failure kind `usage` if Prometheus refuses the query, kind `host` if it does not answer; both
   *   name `about`.
   */
  range(query: RangeQuery, about: string): Promise<RangeAnswer>;
}

/**
 * Value of the `Authorization` header, e.g. `Bearer …`; in the environment, since everybody sees a command
 * line.
 */
const AUTHORIZATION = 'PIPELINE_PROMETHEUS_AUTHORIZATION';

const TIMEOUT_MS = 60_000;
const WORDS: Readonly<Record<string, number>> = {
  '+Inf': Number.POSITIVE_INFINITY,
  Inf: Number.POSITIVE_INFINITY,
  '-Inf': Number.NEGATIVE_INFINITY,
  NaN: Number.NaN,
};

/**
 * Prometheus at an address such as `http://localhost:9090`, perhaps with a path.
 * @throws Failure kind `usage` if the address is invalid, or holds a password.
 */
export function prometheusAt(address: string, context: Context, timeoutMs = TIMEOUT_MS): Prometheus {
  const base = checkedAddress(address);
  const shown = `${base.origin}${base.pathname.replace(/\/$/, '')}`;
  return {
    async range({ query, start, end, step }, about) {
      const body = new URLSearchParams({ query, start: `${start}`, end: `${end}`, step: `${step}` });
      const { status, text } = await post(shown, body, context, timeoutMs);
      const answer = parsed(text);
      if (answer?.status === 'success') {
        return { series: seriesOf(answer.data, shown, about), warnings: texts(answer.warnings) };
      }
      if (status === 401 || status === 403) throw notAdmitted(shown, status);
      if (answer?.status === 'error' && typeof answer.error === 'string') {
        throw refusedQuery(
          `Prometheus at ${shown} refuses the query of ${about}: ${answer.error}`,
          status,
          query,
        );
      }
      throw new Failure('host', `${shown} does not answer like Prometheus (HTTP ${status}).`, {
        output: text.split('\n').slice(0, 3),
        next: 'Give the address that has /api/v1/query_range, e.g. http://localhost:9090.',
      });
    },
  };
}

async function post(
  shown: string,
  body: URLSearchParams,
  context: Context,
  timeoutMs: number,
): Promise<{ status: number; text: string }> {
  const authorization = context.env[AUTHORIZATION];
  try {
    // POST, since a query may be too long for an address.
    const response = await fetch(`${shown}/api/v1/query_range`, {
      method: 'POST',
      body,
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)]),
      headers: { accept: 'application/json', ...(authorization === undefined ? {} : { authorization }) },
    });
    const text = await response.text();
    context.trace(`POST ${shown}/api/v1/query_range ${body} → ${response.status}, ${text.length} bytes`);
    return { status: response.status, text };
  } catch (error) {
    context.signal.throwIfAborted();
    throw new Failure('host', `Cannot reach Prometheus at ${shown}: ${reasonOf(error, timeoutMs)}.`, {
      cause: error,
      next: 'Check that it runs and can be reached from here.',
    });
  }
}

function notAdmitted(shown: string, status: number): Failure {
  return new Failure('usage', `Prometheus at ${shown} lets nobody in without credentials (HTTP ${status}).`, {
    next: `Set ${AUTHORIZATION}, e.g. to "Bearer …" or "Basic …".`,
  });
}

function refusedQuery(message: string, status: number, query: string): Failure {
  const ours = status === 400 || status === 422;
  return new Failure(ours ? 'usage' : 'host', message, {
    output: [query],
    next: ours
      ? 'Correct the query, or ask for a shorter time or a longer step.'
      : 'Check Prometheus, then try again.',
  });
}

function checkedAddress(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new Failure('usage', `"${address}" is not an http or https address.`, {
      next: 'Give one such as http://localhost:9090.',
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new Failure('usage', 'Everybody on this machine can see a password in an address.', {
      next: `Leave it out and set ${AUTHORIZATION} in the environment, e.g. to "Basic …".`,
    });
  }
  return url;
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError')
    return `no answer within ${duration(timeoutMs)}`;
  const cause =
    error instanceof Error ? (error.cause as { code?: unknown; message?: unknown } | undefined) : undefined;
  return String(cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : error));
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // said by the caller, with the text
  }
}

function seriesOf(data: unknown, shown: string, about: string): RangeSeries[] {
  const { resultType, result } = (data ?? {}) as { resultType?: unknown; result?: unknown };
  if (resultType !== 'matrix' || !Array.isArray(result)) {
    throw new Failure(
      'host',
      `Prometheus at ${shown} answers the query of ${about} with ${String(resultType)} instead of values ` +
        `over time.`,
      {
        next: 'The query must return numbers: a range query over an instant vector or a scalar.',
      },
    );
  }
  return (result as readonly RawSeries[]).map(({ metric, values, histograms }) => {
    if (values === undefined && histograms !== undefined) {
      throw new Failure('usage', `The query of ${about} returns histograms, not numbers.`, {
        next: 'Extract a number, e.g. histogram_quantile(0.99, sum(rate(…[1m]))).',
      });
    }
    return {
      labels: metric ?? {},
      values: (values ?? []).map(([, value]) => WORDS[value] ?? Number(value)),
      times: (values ?? []).map(([at]) => at),
    };
  });
}

interface RawSeries {
  readonly metric?: Record<string, string>;
  readonly values?: readonly (readonly [number, string])[];
  /** Native histograms. */
  readonly histograms?: unknown;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
