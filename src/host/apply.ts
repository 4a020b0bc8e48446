/** Does what was planned: one script over one connection, which reports each step as it starts and ends. */

import type { Context, ProgressEvent } from '../context.ts';
import { Failure } from '../errors.ts';
import { redactor } from '../redact.ts';
import type { Connection } from '../ssh/connection.ts';
import type { Change, HostPlan } from './change.ts';
import { explainStep, type FailedStep } from './explain.ts';
import { confirmWithin } from './patience.ts';
import { packageInLine, parseReport, type Report } from './report.ts';
import { BUSY, CUT_OFF } from './script.ts';
import { confirmFirewall, tryConnection } from './second-connection.ts';

export interface Applied {
  readonly changes: readonly Change[];
  readonly seconds: number;
}

export interface ApplyOptions {
  /** Tries a second connection, for new firewall rules; undefined: it came through, else what stopped it. */
  readonly probe?: typeof tryConnection;
  /** Milliseconds that the first look at the host took; absent: it is quick. */
  readonly lookedMs?: number | undefined;
}

/** Milliseconds: packages over a slow line, a database that is set up on a small host. */
const LIMIT = 30 * 60_000;
/** Lines of a step's output that are kept for its failure. */
const KEPT_LINES = 60;

/**
 * Runs the plan. May be killed at any moment: the next plan finishes the work.
 * @throws Failure kind `host` naming the step (n of N), the exit code, the last lines, the cause where it is
 *   known, and the next step; kind `locked`
 * where another run is changing the host.
 */
export async function apply(
  connection: Connection,
  plan: HostPlan,
  context: Context,
  options: ApplyOptions = {},
): Promise<Applied> {
  const started = context.now().getTime();
  if (plan.changes.length > 0) await new Run(connection, plan, context, options).run();
  return { changes: plan.changes, seconds: (context.now().getTime() - started) / 1000 };
}

/** One run of a plan's script: what it reported so far. */
class Run {
  readonly #connection: Connection;
  readonly #plan: HostPlan;
  readonly #context: Context;
  readonly #probe: NonNullable<ApplyOptions['probe']>;
  readonly #confirmSeconds: number;
  readonly #hide: (text: string) => string;
  #step: { readonly index: number; readonly count: number } = { index: 0, count: 0 };
  #done = 0;
  #output: string[] = [];
  #failed: Extract<Report, { kind: 'failed' }> | undefined;
  #finished = false;
  #probing: Promise<string | undefined> | undefined;

  constructor(connection: Connection, plan: HostPlan, context: Context, options: ApplyOptions) {
    this.#connection = connection;
    this.#plan = plan;
    this.#context = context;
    this.#probe = options.probe ?? tryConnection;
    this.#confirmSeconds = confirmWithin((connection.openedMs ?? 0) + (options.lookedMs ?? 0));
    this.#hide = redactor(plan.secrets);
  }

  async run(): Promise<void> {
    try {
      const { exitCode } = await this.#connection.script(
        `confirm_seconds=${this.#confirmSeconds}\n${this.#plan.script}`,
        {
          label: 'apply changes',
          signal: this.#context.signal,
          timeoutMs: LIMIT,
          secrets: this.#plan.secrets,
          onStdout: (line) => this.#line(line),
          onStderr: (line) => this.#keep(line),
        },
      );
      if (!this.#finished) throw await this.#failure(exitCode);
      this.#tell(
        'done',
        `${this.#plan.changes.length} ${this.#plan.changes.length === 1 ? 'change' : 'changes'}`,
      );
    } catch (error) {
      this.#tell('failed', this.#doing());
      throw this.#probing !== undefined && !this.#context.signal.aborted ? await this.#cutOff(error) : error;
    }
  }

  #line(line: string): void {
    const report = parseReport(line);
    if (report === undefined) {
      this.#keep(line);
      return;
    }
    switch (report.kind) {
      case 'start':
        this.#step = report;
        this.#output = [];
        this.#tell('running', this.#doing());
        return;
      case 'done':
        this.#done = report.index + report.count;
        return;
      case 'probe':
        this.#probing = this.#confirm(report.table);
        return;
      case 'failed':
        this.#failed = report;
        return;
      case 'finished':
        this.#finished = true;
    }
  }

  #keep(line: string): void {
    this.#output.push(line);
    if (this.#output.length > KEPT_LINES) this.#output.shift();
    const current = packageInLine(line);
    if (current === undefined) return;
    const { index, count } = this.#step;
    const own = this.#plan.changes
      .slice(index, index + count)
      .some(({ id }) => id === `package ${current.name}`);
    if (own && current.doing === 'setting up') this.#done = Math.min(this.#done + 1, index + count);
    this.#tell('running', `${current.doing} ${current.name}`);
  }

  /** Tries the new rules and lets the host keep them; what stopped it, otherwise. */
  async #confirm(table: string): Promise<string | undefined> {
    try {
      const message = await this.#probe(this.#connection, this.#confirmSeconds, this.#context);
      if (message !== undefined) return message;
      await confirmFirewall(this.#connection, table, this.#confirmSeconds, this.#context);
      this.#probing = undefined;
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async #failure(exitCode: number): Promise<Failure> {
    const host = this.#connection.target.name;
    if (exitCode === BUSY) {
      return new Failure('locked', `${host}: another run of pipeline is changing this host`, {
        host,
        next: 'Wait until it ends, then run the command again.',
      });
    }
    const failed = this.#failed ?? { ...this.#step, exitCode, disk: undefined };
    return explainStep(this.#failedStep(failed, await this.#probing));
  }

  /** The connection itself broke while new rules were tried. */
  async #cutOff(error: unknown): Promise<unknown> {
    const probe = await this.#probing;
    if (probe === undefined || this.#failed !== undefined) return error;
    return explainStep(this.#failedStep({ ...this.#step, exitCode: CUT_OFF, disk: undefined }, probe));
  }

  #failedStep(
    failed: Pick<FailedStep, 'index' | 'count' | 'exitCode' | 'disk'>,
    probe: string | undefined,
  ): FailedStep {
    return {
      ...failed,
      host: this.#connection.target.name,
      changes: this.#plan.changes,
      output: this.#output.map(this.#hide),
      probe,
    };
  }

  #doing(): string {
    return this.#plan.changes[this.#step.index]?.doing ?? 'changing';
  }

  #tell(state: ProgressEvent['state'], stage: string): void {
    const of = this.#plan.changes.length;
    const done = state === 'done' ? of : this.#done;
    this.#context.progress({ host: this.#connection.target.name, stage, state, count: { done, of } });
  }
}
