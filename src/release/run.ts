/** Runs a release script on a host: its reports become progress, its failure a sentence. */
import type { Context, ProgressEvent } from '../context.ts';
import { Failure } from '../errors.ts';
import { redactor } from '../redact.ts';
import { parseReport } from './report.ts';
import type { ReleaseHost } from './types.ts';

export interface ScriptRun {
  readonly label: string;
  readonly script: string;
  readonly timeoutMs: number;
  readonly secrets: readonly string[];
  /** What cannot be said of the host alone: begins the failure's sentence, e.g. `survey 20261123-041500-05c965f`. */
  readonly subject: string;
  /** What the user should know and do when it fails. */
  readonly next: string;
}

const STATES: Readonly<Record<string, ProgressEvent['state']>> = {
  start: 'started',
  running: 'running',
  done: 'done',
  skipped: 'skipped',
};

/** How a failed step reads in a sentence. */
const FAILED: Readonly<Record<string, string>> = {
  place: 'could not be placed',
  before_cut_over: 'was not started: before_cut_over failed',
  start: 'did not start',
  health: 'did not become healthy',
  proxy: 'was healthy, and nginx could not be told',
  switch: 'was healthy, and could not be switched to',
  probation: 'failed in its probation',
  after_deploy: 'is live, but after_deploy failed',
  lock: 'was not touched',
};

/** @throws Failure kind `host` with step, cause and the last lines that the new version printed itself. */
export async function runReleaseScript(host: ReleaseHost, run: ScriptRun, context: Context): Promise<void> {
  const hide = redactor(run.secrets);
  const log: string[] = [];
  let failed: { readonly step: string; readonly detail: string } | undefined;
  let stage = run.label;
  const { exitCode, stderr } = await host.connection.script(run.script, {
    label: run.label,
    timeoutMs: run.timeoutMs,
    signal: context.signal,
    secrets: run.secrets,
    onStdout: (line) => {
      const report = parseReport(line);
      if (report === undefined) return;
      if (report.kind === 'log') {
        // A service that fails the same way again and again says nothing new.
        const line = hide(report.line);
        if (!log.includes(line)) log.push(line);
        return;
      }
      const detail = hide(report.detail);
      stage = report.step;
      if (report.kind === 'failed') {
        failed = { step: report.step, detail };
        context.progress({ host: host.name, stage, state: 'failed', detail });
      } else if (report.step !== 'all') {
        context.progress({ host: host.name, stage, state: STATES[report.kind] ?? 'running', detail });
      }
    },
  });
  if (exitCode === 0) return;
  const own = stderr.split('\n').filter((line) => line.trim() !== '');
  throw new Failure(
    'host',
    failed === undefined
      ? `${host.name}: ${run.subject}: ${stage} ended in an unexpected way (exit ${exitCode})`
      : `${host.name}: ${run.subject} ${FAILED[failed.step] ?? `failed at ${failed.step}`}: ${failed.detail}`,
    {
      host: host.name,
      step: failed?.step ?? stage,
      output: failed === undefined ? own.slice(-10).map(hide) : log.slice(-25),
      next:
        failed?.step === 'after_deploy'
          ? 'The new version serves. Correct the command (hooks: after_deploy) and see what it left undone.'
          : run.next,
    },
  );
}
