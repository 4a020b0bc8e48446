/** Sends an order to a host's program and follows it: events become progress, a failure a sentence. */
import type { Context, ProgressEvent } from '../../context.ts';
import {
  RELEASE_STEPS,
  type ReleaseEvent,
  type ReleaseOrder,
  type ReleaseStep,
} from '../../contract/release.ts';
import { Failure } from '../../errors.ts';
import { redactor } from '../../redact.ts';
import { quote } from '../../ssh/quote.ts';
import type { ReleaseHost } from '../types.ts';
import { hint } from './hint.ts';
import { programCommand } from './program.ts';

export interface OrderRun {
  readonly label: string;
  readonly order: ReleaseOrder;
  /** Name of the program on the host. */
  readonly program: string;
  readonly timeoutMs: number;
  readonly secrets: readonly string[];
  /**
   * Begins the failure's sentence, after the host's name, e.g. `survey 20261123-041500-05c965f`.
   */
  readonly subject: string;
  /** What the user should know and do when it fails. */
  readonly next: string;
}

/** How a failed step reads in a sentence. */
const FAILED: Readonly<Partial<Record<ReleaseStep, string>>> = {
  place: 'could not be placed',
  before_cut_over: 'was not started: before_cut_over failed',
  start: 'did not start',
  health: 'did not become healthy',
  proxy: 'was healthy, but nginx could not be told',
  switch: 'was healthy, but could not be switched to',
  processes: 'was healthy, but not its processes',
  jobs: 'is live, but not its jobs',
  rollout: 'was healthy, but could not be let in',
  probation: 'failed its probation',
  after_deploy: 'is live, but after_deploy failed',
  lock: 'was not touched',
};

/** Lines of the new version that a failure shows. */
const LOG_LINES = 25;

/** What the program has said so far. */
class Account {
  readonly log: string[] = [];
  stage: string;
  failed: { readonly step: ReleaseStep; readonly detail: string } | undefined;
  readonly #host: string;
  readonly #hide: (text: string) => string;
  readonly #progress: (event: ProgressEvent) => void;

  constructor(host: string, label: string, hide: (text: string) => string, context: Context) {
    this.#host = host;
    this.stage = label;
    this.#hide = hide;
    this.#progress = (event) => context.progress(event);
  }

  take(event: ReleaseEvent): void {
    if (event.event === 'end') return;
    if (event.event === 'log') {
      const line = this.#hide(event.line);
      // A service that keeps failing the same way says nothing new.
      if (!this.log.includes(line)) this.log.push(line);
      return;
    }
    const detail = this.#hide(event.detail);
    this.stage = event.step;
    if (event.event === 'failed') this.failed = { step: event.step, detail };
    this.#progress({ host: this.#host, stage: event.step, state: event.event, detail });
  }
}

/**
 * Carries out an order on a host. It holds secrets, so it travels on standard input.
 * @throws Failure kind `host` with step, cause, and the new version's last lines.
 */
export async function runOrder(host: ReleaseHost, run: OrderRun, context: Context): Promise<void> {
  const hide = redactor(run.secrets);
  const account = new Account(host.name, run.label, hide, context);
  const text = JSON.stringify(run.order);
  const command = `exec ${programCommand(run.program)} release`;
  const { exitCode, stderr } = await host.connection.script(`${command} < <(printf %s ${quote(text)})`, {
    label: run.label,
    shown: `${command} (${run.order.verb}, ${text.length} characters)`,
    timeoutMs: run.timeoutMs,
    signal: context.signal,
    secrets: run.secrets,
    onStdout: (line) => {
      const event = parseEvent(line);
      if (event !== undefined) account.take(event);
    },
  });
  if (exitCode === 0) return;
  const { failed, stage, log } = account;
  const own = stderr.split('\n').filter((line) => line.trim() !== '');
  throw new Failure(
    'host',
    failed === undefined
      ? `${host.name}: ${run.subject}: ${stage} ended unexpectedly (exit ${exitCode})`
      : `${host.name}: ${run.subject} ${FAILED[failed.step] ?? `failed at ${failed.step}`}: ${failed.detail}`,
    {
      host: host.name,
      step: failed?.step ?? stage,
      output: failed === undefined ? own.slice(-10).map(hide) : log.slice(-LOG_LINES),
      next:
        failed?.step === 'after_deploy'
          ? 'The new version serves. Correct the command (hooks: after_deploy) and see what it left undone.'
          : `${hint(log)}${run.next}`,
    },
  );
}

const STATES: ReadonlySet<unknown> = new Set(['started', 'running', 'done', 'skipped', 'failed']);
const STEPS: ReadonlySet<unknown> = new Set(RELEASE_STEPS);

/** undefined: the line is not the program's. */
function parseEvent(line: string): ReleaseEvent | undefined {
  let event: Partial<Record<string, unknown>>;
  try {
    event = JSON.parse(line) as typeof event;
  } catch {
    return undefined;
  }
  if (event === null || typeof event !== 'object') return undefined;
  const known =
    event.event === 'end' ||
    (event.event === 'log' && typeof event.line === 'string') ||
    (STATES.has(event.event) && STEPS.has(event.step) && typeof event.detail === 'string');
  return known ? (event as unknown as ReleaseEvent) : undefined;
}
