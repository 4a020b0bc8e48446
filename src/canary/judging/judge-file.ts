/**
 * `pipeline judge FILE`: a report's verdict computed again, by the same judge or the other, or Kayenta's
 * answer to Kayenta's document.
 */
import { readFile } from 'node:fs/promises';
import { Failure } from '../../errors.ts';
import { unreadableWords } from '../../files.ts';
import { JudgeInputError, judgeKayenta, KAYENTA_JUDGE_NAME } from '../../judge/index.ts';
import type { Prometheus } from '../../metrics/prometheus.ts';
import { type CanaryReport, isReport, parseReport } from '../../report/document.ts';
import { embeddedReport } from '../../report/html.ts';
import { conclude, type JudgeName } from './conclude.ts';
import { type KayentaWord, weigh } from './kayenta-doubts.ts';
import type { ScopeOptions } from './kayenta-file.ts';
import { documentFromPrometheus } from './prometheus.ts';
import { isSequentialFile, type JudgedCounters, judgeCounters, judgeSaved } from './sequential-file.ts';

/** What was in the file, judged. */
export type Judged =
  | {
      readonly kind: 'canary';
      /** With the verdict that was computed now. */
      readonly report: CanaryReport;
      /** Whether the file itself says the same; null where it was written by the other judge. */
      readonly agrees: boolean | null;
    }
  | ({ readonly kind: 'counters' } & JudgedCounters)
  | (KayentaWord & {
      readonly kind: 'kayenta';
      /** What was judged, as Kayenta's remote judge takes it. */
      readonly document: unknown;
    });

export interface JudgeOptions {
  readonly judge?: JudgeName;
  /** Where the values come from that the file only asks for. */
  readonly prometheus?: { readonly source: Prometheus; readonly scopes: ScopeOptions };
}

/**
 * The JSON in a file, or in the page that holds it.
 * @throws Failure kind `usage` for a file that cannot be read or is neither.
 */
export async function readDocument(path: string): Promise<unknown> {
  return parse(await read(path), path);
}

/**
 * Judges a report (JSON, or the HTML page that holds it) or a document of Kayenta's remote judge.
 * @param path a file; `-` is standard input.
 * @param document what is in it, where it was read already.
 * @throws Failure kind `usage` for a file that cannot be read, is neither, or does not fit the judge that
 *   was asked for.
 */
export async function judgeFile(
  path: string,
  options: JudgeOptions = {},
  document?: unknown,
): Promise<Judged> {
  const found = document ?? (await readDocument(path));
  const { prometheus } = options;
  if (isReport(found)) {
    if (prometheus !== undefined) {
      throw new Failure('usage', `${path} is a canary report, which holds its own data.`, {
        next: 'Leave --prometheus out.',
      });
    }
    const report = parseReport(found, path);
    const { verdict, ...run } = report;
    const now = conclude(run, options.judge ?? verdict.judge);
    const agrees = now.judge === verdict.judge ? sameVerdict(now, verdict) : null;
    return { kind: 'canary', report: { ...run, verdict: now }, agrees };
  }
  if (isSequentialFile(found)) return { kind: 'counters', ...(await countersOf(found, path, options)) };
  if (options.judge === 'sequential') {
    throw new Failure('usage', `${path} is neither a canary report nor does it name counters to judge.`, {
      next:
        'The sequential judge needs {"judge": "sequential", "requests": …} (docs/judge.md); for a document of ' +
        "Kayenta's: --judge kayenta.",
    });
  }
  try {
    return await judgeAsKayenta(found, path, prometheus);
  } catch (error) {
    if (!(error instanceof JudgeInputError)) throw error;
    throw unreadable(found, path, error, prometheus !== undefined);
  }
}

async function countersOf(
  found: unknown,
  path: string,
  { judge, prometheus }: JudgeOptions,
): Promise<JudgedCounters> {
  if (judge === 'kayenta') {
    throw new Failure('usage', `${path} names counters, which Kayenta's judge does not take.`, {
      next: 'Leave --judge out.',
    });
  }
  const saved = judgeSaved(found);
  if (saved !== null) {
    if (prometheus === undefined) return saved;
    throw new Failure('usage', `${path} holds its own values.`, { next: 'Leave --prometheus out.' });
  }
  if (prometheus === undefined) {
    throw new Failure('usage', `${path} says what to compare, but holds no values.`, {
      next: `To read them from Prometheus: pipeline judge ${path} --prometheus URL`,
    });
  }
  return judgeCounters(found, path, prometheus.scopes, prometheus.source);
}

async function judgeAsKayenta(
  found: unknown,
  path: string,
  prometheus: JudgeOptions['prometheus'],
): Promise<Judged> {
  if (prometheus === undefined) return judgedAsKayenta(found);
  const { source, scopes } = prometheus;
  const { document, notes } = await documentFromPrometheus(found, path, scopes, source);
  return judgedAsKayenta(document, notes);
}

/**
 * A document of Kayenta's remote judge, judged.
 * @param notes what is known of its values
 * @throws JudgeInputError naming the path that is wrong
 */
export function judgedAsKayenta(document: unknown, notes: readonly string[] = []): Judged {
  return { kind: 'kayenta', document, ...weigh(document, judgeKayenta(document), notes) };
}

function unreadable(found: unknown, path: string, error: JudgeInputError, asked: boolean): Failure {
  const fields = typeof found === 'object' && found !== null ? found : {};
  const isKayentas = 'canaryConfig' in fields || 'metrics' in fields;
  const holdsNoValues = isKayentas && !('metricSetPairList' in fields);
  if (holdsNoValues && !asked) {
    return new Failure('usage', `${path} says what to compare, but holds no values.`, {
      cause: error,
      next: `To read them from Prometheus: pipeline judge ${path} --prometheus URL`,
    });
  }
  const problem = isKayentas
    ? `${path} cannot be judged: ${error.message}`
    : `${path} is neither a canary report nor a document of Kayenta's remote judge: ${error.message}`;
  const form =
    error.path === 'canaryConfig.judge.name'
      ? `Give it ${KAYENTA_JUDGE_NAME} if that judge will do.`
      : "Kayenta's is {canaryConfig, scoreThresholds, metricSetPairList}; docs/kayenta.md says what each " +
        'holds.';
  return new Failure('usage', problem, { cause: error, next: form });
}

/** The verdict and its exit code's kind. */
export function exitKind(verdict: CanaryReport['verdict']['verdict']): 'done' | 'rejected' | 'inconclusive' {
  return ({ passed: 'done', failed: 'rejected', inconclusive: 'inconclusive' } as const)[verdict];
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path === '-' ? '/dev/stdin' : path, 'utf8');
  } catch (error) {
    throw new Failure('usage', `${path} cannot be read: ${unreadableWords(error)}`, {
      cause: error,
      next: 'Reports lie in .pipeline/canary/<time>/report.json.',
    });
  }
}

function parse(text: string, path: string): unknown {
  const inner = text.trimStart().startsWith('<') ? embeddedReport(text) : text;
  if (inner === null) {
    throw new Failure('usage', `${path} is a page without a canary report in it.`, {
      next: 'Give it report.json or report.html of .pipeline/canary/<time>.',
    });
  }
  try {
    return JSON.parse(inner);
  } catch (error) {
    throw new Failure(
      'usage',
      `${path} is not JSON: ${error instanceof Error ? error.message : String(error)}.`,
      {
        cause: error,
        next: 'Give it report.json or report.html of .pipeline/canary/<time>.',
      },
    );
  }
}

/** Sentences about a verdict: a later version may say the same in other words. */
const WORDS: ReadonlySet<string> = new Set(['reason', 'notes', 'needs']);

/** Whether two verdicts say the same, in whatever words. */
function sameVerdict(a: CanaryReport['verdict'], b: CanaryReport['verdict']): boolean {
  return JSON.stringify(facts(a)) === JSON.stringify(facts(b));
}

/** The same document without its sentences, its keys in one order. */
function facts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(facts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !WORDS.has(key))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, facts(entry)]),
  );
}
