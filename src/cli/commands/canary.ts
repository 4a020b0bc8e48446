/** `pipeline canary BASELINE CANDIDATE`: two refs side by side, judged. */
import { randomInt } from 'node:crypto';
import packageJson from '../../../package.json' with { type: 'json' };
import { type CanaryResult, runCanary } from '../../canary/experiment/run.ts';
import { type ReportFiles, reportFolder, writeReport } from '../../canary/judging/files.ts';
import { loadConfig } from '../../config/load.ts';
import { EXIT_CODES } from '../../errors.ts';
import { shownPath } from '../../files.ts';
import { installed } from '../../installation.ts';
import type { Traffic } from '../../judge/types.ts';
import { reportJson } from '../../report/json.ts';
import { introduction, liveFrame, progressLine, resultLines } from '../../report/terminal.ts';
import { tellCanary } from '../../watching/tell-canary.ts';
import { argument, type Handler } from '../command.ts';
import type { definitions } from '../definitions.ts';

/** Without a terminal a line is printed this often. */
const LINE_EVERY_SECONDS = 10;

export const canary: Handler<typeof definitions.canary> = async (options, session) => {
  const { output, context } = session;
  const config = await loadConfig(session.common.config, context);
  const shown = (files: ReportFiles): ReportFiles =>
    Object.fromEntries(Object.entries(files).map(([form, path]) => [form, shownPath(path, context.cwd)]));
  let files: ReportFiles = {};
  let lastLine = Number.NEGATIVE_INFINITY;
  let remains: string | null = null;
  const onInterrupt = () => {
    if (remains === null || options.keep) return;
    output.line(`Stopping. Another Ctrl-C leaves ${remains}.`);
  };
  context.signal.addEventListener('abort', onInterrupt, { once: true });
  const monitor = tellCanary(session, options.inventory);
  let failure: unknown;

  async function show(result: CanaryResult): Promise<void> {
    monitor.end(result);
    output.live([]);
    const folder = await reportFolder(config.directory, result.report.at);
    const own = await writeReport(
      result.report,
      { json: `${folder}/report.json`, html: `${folder}/report.html` },
      folder,
    );
    const wanted = await writeReport(
      result.report,
      {
        ...(options.report === undefined ? {} : { html: options.report }),
        ...(options.markdown === undefined ? {} : { markdown: options.markdown }),
      },
      context.cwd,
    );
    files = shown({ ...own, ...wanted });
    output.line();
    for (const line of resultLines(result.report, output.colors, files)) output.line(line);
    if (options.keep && remains !== null) {
      output.line('The hosts stay for the next run. To remove them: pipeline prod destroy --canary');
    }
  }

  try {
    const { report, exitKind } = await runCanary(
      {
        baseline: argument(session, 0) ?? '',
        candidate: argument(session, 1) ?? '',
        app: options.app,
        durationMs: options.duration,
        rate: options.rate,
        traffic: options.traffic as Traffic | undefined,
        split: options.split,
        judge: options.judge as 'sequential' | 'kayenta' | undefined,
        seed: options.seed ?? randomInt(2 ** 31),
        keep: options.keep,
        inventory: options.inventory,
      },
      { config, version: packageJson.version, agent: installed('dist/agent.js') },
      context,
      {
        onHosts: (left) => {
          remains = left;
        },
        onPlan: (run, alpha) => {
          monitor.begin(run);
          for (const line of introduction(run, alpha)) output.line(line);
        },
        onSnapshot: (snapshot) => {
          monitor.progress(snapshot);
          if (output.interactive) output.live(['', ...liveFrame(snapshot, output.colors)]);
          else if (snapshot.seconds - lastLine >= LINE_EVERY_SECONDS) {
            lastLine = snapshot.seconds;
            output.line(progressLine(snapshot));
          }
        },
        onResult: show,
      },
    );
    return { json: reportJson(report, files), exitCode: exitKind === 'done' ? 0 : EXIT_CODES[exitKind] };
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await monitor.close(failure);
    context.signal.removeEventListener('abort', onInterrupt);
  }
};
