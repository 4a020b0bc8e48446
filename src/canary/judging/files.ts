/** Where reports are written. */
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../../errors.ts';
import { writeFileAtomic } from '../../files.ts';
import type { CanaryReport } from '../../report/document.ts';
import { renderHtml } from '../../report/html.ts';
import { renderMarkdown } from '../../report/markdown.ts';
import { evidenceTimeline } from './evidence.ts';

export interface ReportFiles {
  readonly json?: string;
  readonly html?: string;
  readonly markdown?: string;
}

/**
 * Makes the folder of a run, `<directory>/.pipeline/canary/<time>`, and returns it; a second run in one
 * second gets its own.
 */
export async function reportFolder(directory: string, at: string): Promise<string> {
  const stem = join(directory, '.pipeline', 'canary', at.replace(/\.\d+/, '').replaceAll(':', '-'));
  await mkdir(dirname(stem), { recursive: true });
  for (let count = 1; ; count++) {
    const folder = count === 1 ? stem : `${stem}-${count}`;
    try {
      await mkdir(folder);
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(folder, error);
    }
  }
}

/**
 * Writes a report in every form that is asked for; returns the absolute paths. @throws Failure kind `usage`
 * for a path that cannot be written.
 */
export async function writeReport(
  report: CanaryReport,
  wanted: ReportFiles,
  cwd: string,
): Promise<ReportFiles> {
  const forms: Record<keyof ReportFiles, () => string> = {
    json: () => `${JSON.stringify(report)}\n`,
    html: () => renderHtml(report, evidenceTimeline(report.experiment)),
    markdown: () => renderMarkdown(report),
  };
  const written: Record<string, string> = {};
  for (const form of ['json', 'html', 'markdown'] as const) {
    const path = wanted[form];
    if (path === undefined) continue;
    const target = resolve(cwd, path);
    try {
      await mkdir(dirname(target), { recursive: true });
      await writeFileAtomic(target, forms[form](), 0o644);
    } catch (error) {
      throw unwritable(target, error);
    }
    written[form] = target;
  }
  return written;
}

/** The forms that `--report` and `--markdown` ask for. */
export function wantedFiles({
  report,
  markdown,
}: {
  readonly report?: string | undefined;
  readonly markdown?: string | undefined;
}): ReportFiles {
  return {
    ...(report === undefined ? {} : { html: report }),
    ...(markdown === undefined ? {} : { markdown }),
  };
}

function unwritable(path: string, error: unknown): Failure {
  return new Failure(
    'usage',
    `${path} cannot be written: ${error instanceof Error ? error.message : String(error)}.`,
    {
      cause: error,
      next: 'Choose a folder that is yours, with --report FILE.html or --markdown FILE.',
    },
  );
}
