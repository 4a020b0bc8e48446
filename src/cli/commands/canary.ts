/** `pipeline canary BASELINE CANDIDATE`: two refs side by side, judged. */
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packageJson from '../../../package.json' with { type: 'json' };
import { type CanaryOptions, planRun } from '../../canary/experiment/plan.ts';
import { type CanaryListener, type CanaryResult, runCanary } from '../../canary/experiment/run.ts';
import type { JudgeName } from '../../canary/judging/conclude.ts';
import { type ReportFiles, reportFolder, wantedFiles, writeReport } from '../../canary/judging/files.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { EXIT_CODES, Failure } from '../../errors.ts';
import { shownPath } from '../../files.ts';
import { installed } from '../../installation.ts';
import type { Traffic } from '../../judge/types.ts';
import type { CanaryReport } from '../../report/document.ts';
import { reportJson } from '../../report/json.ts';
import { introduction, liveFrame, progressLine, resultLines, type Snapshot } from '../../report/terminal.ts';
import { type CanaryTeller, tellCanary } from '../../watching/tell-canary.ts';
import { readData } from '../canary-data.ts';
import { argument, type Handler, type Session } from '../command.ts';
import type { definitions } from '../definitions.ts';
import { readReplay } from '../replay.ts';

/** Without a terminal a line is printed this often. */
const LINE_EVERY_SECONDS = 10;

export const canary: Handler<typeof definitions.canary> = async (options, session) => {
  const pace = readPace(options);
  const config = await loadConfig(session.common.config, session.context);
  const chosen = await canaryOptions(options, pace, config, session);
  const view = new CanaryView(options, session, config);
  const { report, exitKind } = await withData(options, chosen, config, session, (wanted) =>
    view.watching(() =>
      runCanary(
        wanted,
        { config, version: packageJson.version, agent: installed('dist/agent.js') },
        session.context,
        view,
      ),
    ),
  );
  const exitCode = exitKind === 'done' ? 0 : EXIT_CODES[exitKind];
  return { json: reportJson(report, view.files), exitCode };
};

type Options = Parameters<typeof canary>[0];

/** Runs `work`, with `--data` as files that go afterwards. */
async function withData<T>(
  { data }: Options,
  chosen: CanaryOptions,
  config: Config,
  session: Session,
  work: (wanted: CanaryOptions) => Promise<T>,
): Promise<T> {
  if (data === undefined) return work(chosen);
  // Mistakes in the other options are said before production is asked.
  const { app, definition } = planRun(config, chosen);
  const folder = await mkdtemp(join(tmpdir(), 'pipeline-canary-'));
  try {
    return await work({ ...chosen, backups: await readData(data, app, definition, folder, session) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function canaryOptions(
  options: Options,
  pace: Pace,
  config: Config,
  session: Session,
): Promise<CanaryOptions> {
  return {
    ...pace,
    baseline: argument(session, 0) ?? '',
    candidate: argument(session, 1) ?? '',
    app: options.app,
    durationMs: options.duration,
    replay:
      options.replay === undefined
        ? undefined
        : await readReplay(options.replay, options.app, config, session),
    traffic: options.traffic as Traffic | undefined,
    split: options.split,
    faults: options.fault?.split(',').map((text) => text.trim()),
    judge: options.judge as JudgeName | undefined,
    seed: options.seed ?? randomInt(2 ** 31),
    keep: options.keep,
    inventory: options.inventory,
  };
}

type Pace = Pick<CanaryOptions, 'rate' | 'times'>;

/** Requests a second, or how many times a replay's own rate: `200`, `x2`, `×0.5`. */
function readPace({ rate: text, replay }: Options): Pace {
  if (text === undefined) return {};
  const [, times, number] = /^([x×]?)(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (number === undefined)
    throw new Failure('usage', `--rate: "${text}" is not a number`, {
      next: 'Write requests a second, e.g. 200, or x2 for twice the rate of a replay.',
    });
  if (times === '') return { rate: Number(number) };
  if (replay !== undefined) return { times: Number(number) };
  throw new Failure('usage', `--rate ${text} multiplies the rate of a replay, and there is none.`, {
    next: 'Add --replay 1h, or give requests a second: --rate 200.',
  });
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
