/** `pipeline judge FILE`: the verdict about recorded data. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { wantedFiles, writeReport } from '../../canary/judging/files.ts';
import {
  exitKind,
  type Judged,
  type JudgeOptions,
  judgedAsKayenta,
  judgeFile,
  readDocument,
} from '../../canary/judging/judge-file.ts';
import { seconds } from '../../canary/judging/kayenta-file.ts';
import { savedCounters } from '../../canary/judging/sequential-file.ts';
import type { Context } from '../../context.ts';
import { EXIT_CODES, Failure } from '../../errors.ts';
import { shownPath } from '../../files.ts';
import { prometheusAt } from '../../metrics/prometheus.ts';
import { reportJson } from '../../report/json.ts';
import { kayentaLines, resultLines, verdictLines } from '../../report/terminal.ts';
import { isRolloutReport, judgeRollout, parseRolloutReport } from '../../rollout/report.ts';
import { caveat, documentOf, recordedByHub } from '../../watching/judge-hub.ts';
import { argument, type CommandResult, type Handler, type Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { rolloutFrame } from '../rollout-view.ts';

export const judge: Handler<typeof definitions.judge> = async (options, session) => {
  if (options.app !== undefined) return show(await fromHub(options.app, options, session), options, session);
  const path = fileOf(session);
  const prometheus = fromPrometheus(options, session.context);
  const document = await readDocument(path);
  if (isRolloutReport(document)) return showRollout(document, path, options, session);
  const wanted = {
    ...(options.judge === undefined ? {} : { judge: options.judge as 'sequential' | 'kayenta' }),
    ...(prometheus === undefined ? {} : { prometheus }),
  };
  return show(await judgeFile(path, wanted, document), options, session);
};

function show(judged: Judged, options: Options, session: Session): Promise<CommandResult> {
  switch (judged.kind) {
    case 'kayenta':
      return showKayenta(judged, options, session);
    case 'counters':
      return showCounters(judged, options, session);
    default:
      return showReport(judged, options, session);
  }
}

async function showCounters(
  judged: Extract<Judged, { kind: 'counters' }>,
  options: Options,
  { context, output }: Session,
): Promise<CommandResult> {
  if (options.report !== undefined || options.markdown !== undefined) {
    throw new Failure('usage', '--report and --markdown need a canary report; these are counters.', {
      next: 'Use --json, or --save to keep the values.',
    });
  }
  if (options.save !== undefined) {
    await writeFile(
      resolve(context.cwd, options.save),
      `${JSON.stringify(savedCounters(judged), null, 2)}\n`,
    );
  }
  const { baseline, candidate } = judged;
  const verdict = { ...judged.verdict, notes: [...judged.verdict.notes, ...judged.notes] };
  for (const line of verdictLines(verdict, output.colors)) output.line(line);
  return { json: { ...verdict, baseline, candidate }, exitCode: exitCodeOf(verdict.verdict) };
}

function showRollout(
  document: unknown,
  path: string,
  { judge: name, prometheus, report: page, markdown, save }: Options,
  { output }: Session,
): CommandResult {
  if ([name, prometheus, page, markdown, save].some((option) => option !== undefined)) {
    throw new Failure('usage', `${path} is the report of a rollout, which is judged in one way alone.`, {
      next: `Judge it with: pipeline judge ${path}`,
    });
  }
  const parsed = parseRolloutReport(document);
  if ('mistake' in parsed) {
    throw new Failure('usage', `${path} is no whole report of a rollout: ${parsed.mistake}`, {
      next: `Save it again with: pipeline rollout status APP --save ${path}`,
    });
  }
  const { status, harmful, agrees } = judgeRollout(parsed.report);
  output.line(`${status.app}: ${status.baseline.release} and ${status.candidate.release}`);
  for (const line of rolloutFrame(status, output.colors)) output.line(line);
  output.line(harmful ? 'The evidence of harm suffices to take it back.' : 'No evidence of harm suffices.');
  sayWhetherItAgrees(agrees, output);
  return { json: { ...status, harmful, agrees }, exitCode: harmful ? EXIT_CODES.rejected : 0 };
}

function sayWhetherItAgrees(agrees: boolean | null, output: Session['output']): void {
  if (agrees === true) output.line('The file holds the same verdict.');
  if (agrees === false) {
    const changed = 'The file holds a different verdict: it was edited, or written by another version.';
    output.line(output.colors.yellow(changed));
  }
}

async function showKayenta(
  { document, result, outcome, notes }: Extract<Judged, { kind: 'kayenta' }>,
  options: Options,
  { context, output }: Session,
): Promise<CommandResult> {
  if (options.report !== undefined || options.markdown !== undefined) {
    throw new Failure(
      'usage',
      "--report and --markdown need a canary report; this is a document of Kayenta's remote judge.",
      { next: "Use --json: it prints what Kayenta's remote judge answers." },
    );
  }
  if (options.save !== undefined) {
    await writeFile(resolve(context.cwd, options.save), `${JSON.stringify(document, null, 2)}\n`);
  }
  for (const line of kayentaLines(result, output.colors, notes)) output.line(line);
  return { json: notes.length === 0 ? result : { ...result, notes }, exitCode: exitCodeOf(outcome) };
}

async function showReport(
  { report, agrees }: Extract<Judged, { kind: 'canary' }>,
  options: Options,
  { context, output }: Session,
): Promise<CommandResult> {
  const written = await writeReport(report, wantedFiles(options), context.cwd);
  const files = Object.fromEntries(
    Object.entries(written).map(([form, file]) => [form, shownPath(file, context.cwd)]),
  );
  for (const line of resultLines(report, output.colors, files)) output.line(line);
  sayWhetherItAgrees(agrees, output);
  return { json: { ...reportJson(report, files), agrees }, exitCode: exitCodeOf(report.verdict.verdict) };
}

function exitCodeOf(verdict: Parameters<typeof exitKind>[0]): number {
  const kind = exitKind(verdict);
  return kind === 'done' ? 0 : EXIT_CODES[kind];
}

type Options = Parameters<typeof judge>[0];

function fileOf(session: Session): string {
  const path = argument(session, 0);
  if (path === undefined)
    throw new Failure('usage', 'There is nothing to judge.', {
      next: 'Name a file, - for standard input, or --app with --baseline and --candidate.',
    });
  return path === '-' ? path : resolve(session.context.cwd, path);
}

/**
 * What the monitor recorded of two releases, by Kayenta's judge: the sequential one needs traffic that was
 * divided at random.
 */
async function fromHub(app: string, options: Options, session: Session): Promise<Judged> {
  const { baseline, candidate, step, last } = options;
  const wrong = (message: string, next: string) => new Failure('usage', message, { next });
  if (argument(session, 0) !== undefined || options.prometheus !== undefined)
    throw wrong(
      '--app reads from the monitor, so it takes neither a file nor --prometheus.',
      'Leave one of them out.',
    );
  if (options.judge === 'sequential')
    throw wrong(
      'The sequential judge needs requests that were divided at random between two versions.',
      'Leave --judge out, or run pipeline canary.',
    );
  if (baseline === undefined || candidate === undefined)
    throw wrong('--app needs --baseline and --candidate.', `pipeline releases ${app} names the releases.`);
  const { start, end } = timesOf(options, session.context);
  if (start === undefined && last === undefined)
    throw wrong('--app needs the time to judge.', 'Say --last 2h, or --start and --end.');
  const now = Math.floor(session.context.now().getTime() / 1000);
  const wanted = {
    app,
    baseline,
    candidate,
    start: start ?? now,
    end: end ?? now,
    stepSeconds: (step ?? 60_000) / 1000,
  };
  const recorded = await recordedByHub(wanted, options.inventory, session);
  const said = caveat(recorded);
  return judgedAsKayenta(documentOf(wanted, recorded), said === '' ? [] : [said]);
}

/** Seconds since 1970. */
function timesOf({ last, start, end }: Options, context: Context) {
  if (last !== undefined && (start !== undefined || end !== undefined)) {
    throw new Failure('usage', '--last counts back from now, so it cannot stand beside --start or --end.', {
      next: 'Leave one of them out.',
    });
  }
  const now = Math.floor(context.now().getTime() / 1000);
  return {
    start: last === undefined ? seconds(start, '--start') : now - last / 1000,
    end: last === undefined ? seconds(end, '--end') : now,
  };
}

/** Where the values come from, and for which time; absent: from the file. */
function fromPrometheus(options: Options, context: Context): JudgeOptions['prometheus'] {
  const { prometheus, baseline, candidate, step } = options;
  if (prometheus === undefined) {
    const idle = (['baseline', 'candidate', 'last', 'start', 'end', 'step', 'save'] as const).find(
      (name) => options[name] !== undefined,
    );
    if (idle === undefined) return undefined;
    throw new Failure('usage', `--${idle} says what to read from Prometheus, but --prometheus is missing.`, {
      next: `Add it, e.g. --prometheus http://localhost:9090, or leave --${idle} out.`,
    });
  }
  return {
    source: prometheusAt(prometheus, context),
    scopes: {
      baseline,
      candidate,
      ...timesOf(options, context),
      step: step === undefined ? undefined : step / 1000,
    },
  };
}
