/** `pipeline canary BASELINE CANDIDATE`: two refs side by side, judged. */
import { randomInt } from 'node:crypto';
import packageJson from '../../../package.json' with { type: 'json' };
import type { CanaryOptions } from '../../canary/experiment/plan.ts';
import { type CanaryListener, type CanaryResult, runCanary } from '../../canary/experiment/run.ts';
import type { JudgeName } from '../../canary/judging/conclude.ts';
import { type ReportFiles, reportFolder, wantedFiles, writeReport } from '../../canary/judging/files.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { EXIT_CODES } from '../../errors.ts';
import { shownPath } from '../../files.ts';
import { installed } from '../../installation.ts';
import type { Traffic } from '../../judge/types.ts';
import type { CanaryReport } from '../../report/document.ts';
import { reportJson } from '../../report/json.ts';
import { introduction, liveFrame, progressLine, resultLines, type Snapshot } from '../../report/terminal.ts';
import { type CanaryTeller, tellCanary } from '../../watching/tell-canary.ts';
import { argument, type Handler, type Session } from '../command.ts';
import type { definitions } from '../definitions.ts';

/** Without a terminal a line is printed this often. */
const LINE_EVERY_SECONDS = 10;

export const canary: Handler<typeof definitions.canary> = async (options, session) => {
  const config = await loadConfig(session.common.config, session.context);
  const view = new CanaryView(options, session, config);
  const { report, exitKind } = await view.watching(() =>
    runCanary(
      canaryOptions(options, session),
      { config, version: packageJson.version, agent: installed('dist/agent.js') },
      session.context,
      view,
    ),
  );
  const exitCode = exitKind === 'done' ? 0 : EXIT_CODES[exitKind];
  return { json: reportJson(report, view.files), exitCode };
};

type Options = Parameters<typeof canary>[0];

function canaryOptions(options: Options, session: Session): CanaryOptions {
  return {
    baseline: argument(session, 0) ?? '',
    candidate: argument(session, 1) ?? '',
    app: options.app,
    durationMs: options.duration,
    rate: options.rate,
    traffic: options.traffic as Traffic | undefined,
    split: options.split,
    judge: options.judge as JudgeName | undefined,
    seed: options.seed ?? randomInt(2 ** 31),
    keep: options.keep,
    inventory: options.inventory,
  };
}

/** Shows a run to whoever sits at the terminal, and to the project's monitor. */
class CanaryView implements CanaryListener {
  /** Reports that were written, as the user would type their paths. */
  files: ReportFiles = {};
  readonly #options: Options;
  readonly #session: Session;
  readonly #config: Config;
  readonly #monitor: CanaryTeller;
  #lastLine = Number.NEGATIVE_INFINITY;
  /** What stays where the program is killed. */
  #remains: string | null = null;

  constructor(options: Options, session: Session, config: Config) {
    this.#options = options;
    this.#session = session;
    this.#config = config;
    this.#monitor = tellCanary(session, options.inventory);
  }

  /** Runs `work`; the monitor hears how it ended, whatever happens. */
  async watching(work: () => Promise<CanaryResult>): Promise<CanaryResult> {
    const { signal } = this.#session.context;
    const onInterrupt = () => this.#onInterrupt();
    signal.addEventListener('abort', onInterrupt, { once: true });
    let failure: unknown;
    try {
      return await work();
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      await this.#monitor.close(failure);
      signal.removeEventListener('abort', onInterrupt);
    }
  }

  readonly onHosts = (remains: string | null): void => {
    this.#remains = remains;
  };

  readonly onPlan: NonNullable<CanaryListener['onPlan']> = (run, alpha) => {
    this.#monitor.begin(run);
    this.#lines(introduction(run, alpha));
  };

  readonly onSnapshot = (snapshot: Snapshot): void => {
    this.#monitor.progress(snapshot);
    const { output } = this.#session;
    if (output.interactive) output.live(['', ...liveFrame(snapshot, output.colors)]);
    else if (snapshot.seconds - this.#lastLine >= LINE_EVERY_SECONDS) {
      this.#lastLine = snapshot.seconds;
      output.line(progressLine(snapshot));
    }
  };

  readonly onResult = async (result: CanaryResult): Promise<void> => {
    const { output } = this.#session;
    this.#monitor.end(result);
    output.live([]);
    this.files = await this.#write(result.report);
    this.#lines(['', ...resultLines(result.report, output.colors, this.files)]);
    if (this.#options.keep && this.#remains !== null) {
      output.line('The hosts stay for the next run. To remove them: pipeline prod destroy --canary');
    }
  };

  /** The run's own report in the project's folder, and those that were asked for. */
  async #write(report: CanaryReport): Promise<ReportFiles> {
    const { cwd } = this.#session.context;
    const folder = await reportFolder(this.#config.directory, report.at);
    const both = { json: `${folder}/report.json`, html: `${folder}/report.html` };
    const written = {
      ...(await writeReport(report, both, folder)),
      ...(await writeReport(report, wantedFiles(this.#options), cwd)),
    };
    return Object.fromEntries(Object.entries(written).map(([form, path]) => [form, shownPath(path, cwd)]));
  }

  #onInterrupt(): void {
    if (this.#remains === null || this.#options.keep) return;
    this.#session.output.line(`Stopping. Press Ctrl-C again to quit now and leave ${this.#remains}.`);
  }

  #lines(lines: readonly string[]): void {
    for (const line of lines) this.#session.output.line(line);
  }
}
