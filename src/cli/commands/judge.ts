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
} from '../../canary/judging/judge-file.ts';
import { seconds } from '../../canary/judging/kayenta-file.ts';
import type { Context } from '../../context.ts';
import { EXIT_CODES, Failure } from '../../errors.ts';
import { shownPath } from '../../files.ts';
import { prometheusAt } from '../../metrics/prometheus.ts';
import { reportJson } from '../../report/json.ts';
import { kayentaLines, resultLines } from '../../report/terminal.ts';
import { caveat, documentOf, recordedByHub } from '../../watching/judge-hub.ts';
import { argument, type CommandResult, type Handler, type Session } from '../command.ts';
import type { definitions } from '../definitions.ts';

export const judge: Handler<typeof definitions.judge> = async (options, session) => {
  const judged =
    options.app === undefined
      ? await fromFile(options, session)
      : await fromHub(options.app, options, session);
  return judged.kind === 'kayenta'
    ? showKayenta(judged, options, session)
    : showReport(judged, options, session);
};

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
  { report, agrees }: Exclude<Judged, { kind: 'kayenta' }>,
  options: Options,
  { context, output }: Session,
): Promise<CommandResult> {
  const written = await writeReport(report, wantedFiles(options), context.cwd);
  const files = Object.fromEntries(
    Object.entries(written).map(([form, file]) => [form, shownPath(file, context.cwd)]),
  );
  for (const line of resultLines(report, output.colors, files)) output.line(line);
  if (agrees === true) output.line('The file holds the same verdict.');
  if (agrees === false) {
    const changed = 'The file holds a different verdict: it was edited, or written by another version.';
    output.line(output.colors.yellow(changed));
  }
  return { json: { ...reportJson(report, files), agrees }, exitCode: exitCodeOf(report.verdict.verdict) };
}

function exitCodeOf(verdict: Parameters<typeof exitKind>[0]): number {
  const kind = exitKind(verdict);
  return kind === 'done' ? 0 : EXIT_CODES[kind];
}

type Options = Parameters<typeof judge>[0];

async function fromFile(options: Options, session: Session): Promise<Judged> {
  const { context } = session;
  const path = argument(session, 0);
  if (path === undefined)
    throw new Failure('usage', 'There is nothing to judge.', {
      next: 'Name a file, - for standard input, or --app with --baseline and --candidate.',
    });
  const prometheus = fromPrometheus(options, context);
  return judgeFile(path === '-' ? path : resolve(context.cwd, path), {
    ...(options.judge === undefined ? {} : { judge: options.judge as 'sequential' | 'kayenta' }),
    ...(prometheus === undefined ? {} : { prometheus }),
  });
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
