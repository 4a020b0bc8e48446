/** `pipeline judge FILE`: the verdict about recorded data. */
import { resolve } from 'node:path';
import { writeReport } from '../../canary/files.ts';
import { exitKind, judgeFile } from '../../canary/judge-file.ts';
import { EXIT_CODES, Failure } from '../../errors.ts';
import { shownPath } from '../../files.ts';
import { reportJson } from '../../report/json.ts';
import { kayentaLines, resultLines } from '../../report/terminal.ts';
import { argument, type Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';

const KAYENTA_EXIT = { Pass: 0, Marginal: EXIT_CODES.inconclusive, Fail: EXIT_CODES.rejected } as const;

export const judge: Handler<typeof definitions.judge> = async (options, session) => {
  const { output, context } = session;
  const path = argument(session, 0) ?? '-';
  const judged = await judgeFile(path === '-' ? path : resolve(context.cwd, path), {
    ...(options.judge === undefined ? {} : { judge: options.judge as 'sequential' | 'kayenta' }),
  });
  if (judged.kind === 'kayenta') {
    if (options.report !== undefined || options.markdown !== undefined) {
      throw new Failure(
        'usage',
        "--report and --markdown need a canary report; this is a document of Kayenta's remote judge.",
        {
          next: "Take --json: it is the answer that Kayenta's remote judge gives.",
        },
      );
    }
    for (const line of kayentaLines(judged.result, output.colors)) output.line(line);
    return { json: judged.result, exitCode: KAYENTA_EXIT[judged.result.score.classification] };
  }
  const { report, agrees } = judged;
  const written = await writeReport(
    report,
    {
      ...(options.report === undefined ? {} : { html: options.report }),
      ...(options.markdown === undefined ? {} : { markdown: options.markdown }),
    },
    context.cwd,
  );
  const files = Object.fromEntries(
    Object.entries(written).map(([form, file]) => [form, shownPath(file, context.cwd)]),
  );
  for (const line of resultLines(report, output.colors, files)) output.line(line);
  if (agrees === true) output.line('The same verdict as in the file.');
  if (agrees === false) {
    output.line(
      output.colors.yellow(
        'The file holds another verdict: it was changed, or judged by another version of pipeline.',
      ),
    );
  }
  const kind = exitKind(report.verdict.verdict);
  return { json: { ...reportJson(report, files), agrees }, exitCode: kind === 'done' ? 0 : EXIT_CODES[kind] };
};
