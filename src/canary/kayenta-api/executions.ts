/**
 * What the API was asked to judge, and how that ended. Each execution is a file, written before its id is
 * given away: after a restart the unfinished go on.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../../context.ts';
import { asFailure, Failure } from '../../errors.ts';
import { writeFileAtomic } from '../../files.ts';
import { JudgeInputError, judgeKayenta, readKayentaInput } from '../../judge/index.ts';
import type { Prometheus } from '../../metrics/prometheus.ts';
import { weigh } from '../judging/kayenta-doubts.ts';
import { documentFrom, queriesFrom } from '../judging/prometheus.ts';
import {
  type AnalysisExecution,
  type CanaryExecution,
  type Execution,
  type ExecutionError,
  type ExecutionRequest,
  fails,
  servedResult,
} from './execution.ts';
import { type Judgement, judgementsOf } from './windows.ts';

export interface ExecutionsOptions {
  /** Where executions are kept. */
  readonly folder: string;
  readonly prometheus: Prometheus;
  readonly context: Context;
  /** Told of each judgement. */
  readonly log: (line: string) => void;
}

/** Executions that are kept; older ones go. */
const KEPT = 1000;
/** Executions under way; a request beyond is refused. */
const MOST_RUNNING = 100;
/** The longest time that a timer of Node can wait. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;
const ID = /^[0-9a-f-]{36}$/;

/** The API's memory. */
export class Executions {
  readonly #options: ExecutionsOptions;
  readonly #running = new Map<string, Execution>();

  constructor(options: ExecutionsOptions) {
    this.#options = options;
  }

  /** Takes up what an earlier process left unfinished. */
  async resume(): Promise<void> {
    const { folder } = this.#options;
    await mkdir(folder, { recursive: true });
    for (const file of await readdir(folder)) {
      const execution = await this.#read(file.replace(/\.json$/, ''));
      if (execution?.ended === null) this.#go(execution);
    }
  }

  /**
   * Begins one judgement.
   * @returns its id
   * @throws Failure kind `usage` for a request that does not fit, kind `host` where too many are under way
   */
  async judge(request: ExecutionRequest): Promise<string> {
    const { thresholds } = checked(request);
    return this.#begin({
      ...this.#fresh(request),
      kind: 'canary',
      word: null,
      thresholds,
    });
  }

  /** Begins a standalone analysis: `judge` several times. */
  async analyse(request: ExecutionRequest): Promise<string> {
    const fresh = this.#fresh(request);
    const [first] = judgementsOf(request.request, fresh.received);
    const { thresholds } = checked({ ...request, request: first?.request });
    return this.#begin({ ...fresh, kind: 'analysis', judgements: [], thresholds });
  }

  /** An execution of that kind; undefined: there is none, or no longer. */
  async find<K extends Execution['kind']>(
    kind: K,
    id: string,
  ): Promise<Extract<Execution, { kind: K }> | undefined> {
    const execution = this.#running.get(id) ?? (await this.#read(id));
    return execution?.kind === kind ? (execution as Extract<Execution, { kind: K }>) : undefined;
  }

  #fresh(request: ExecutionRequest) {
    const received = this.#options.context.now().getTime();
    return { ...request, id: randomUUID(), received, ended: null, error: null };
  }

  async #begin(execution: Execution): Promise<string> {
    if (this.#running.size >= MOST_RUNNING)
      throw new Failure('host', `${MOST_RUNNING} judgements are under way already.`, {
        next: 'Ask again when some have ended.',
      });
    this.#running.set(execution.id, execution);
    try {
      await this.#write(execution);
    } catch (error) {
      this.#running.delete(execution.id);
      throw error;
    }
    this.#go(execution);
    return execution.id;
  }

  /** Carries it out beside whoever asked. */
  #go(execution: Execution): void {
    this.#running.set(execution.id, execution);
    const run = execution.kind === 'canary' ? this.#judgeNow(execution) : this.#analyseNow(execution);
    run
      .catch((error: unknown) => {
        if (this.#options.context.signal.aborted) return; // the next process takes it up
        this.#options.log(`${execution.id}: ${asFailure(error).message}`);
      })
      .finally(() => this.#running.delete(execution.id));
  }

  async #judgeNow(execution: CanaryExecution): Promise<CanaryExecution> {
    const { prometheus, context, log } = this.#options;
    const document = { canaryConfig: execution.config, executionRequest: execution.request };
    let ended: CanaryExecution;
    try {
      const { document: values, notes } = await documentFrom(queriesFrom(document, PATH, {}), prometheus);
      const word = weigh(values, judgeKayenta(values), notes);
      ended = { ...execution, word, ended: context.now().getTime() };
      const { score } = servedResult(word, execution.thresholds);
      log(
        `${nameOf(execution)}: ${word.outcome}, score ${score.score}. ${score.classificationReason}`.trim(),
      );
    } catch (error) {
      context.signal.throwIfAborted();
      const why = errorOf(error);
      ended = { ...execution, error: why, ended: context.now().getTime() };
      log(`${nameOf(execution)}: no result. ${why.message}`);
    }
    await this.#write(ended);
    return ended;
  }

  async #analyseNow(execution: AnalysisExecution): Promise<void> {
    const { context } = this.#options;
    let now = execution;
    for (const judgement of judgementsOf(execution.request, execution.received).slice(
      execution.judgements.length,
    )) {
      await this.#until(judgement.due);
      now = await this.#step(now, judgement);
      const score = now.judgements.at(-1)?.score ?? null;
      if (score === null || fails(score, now.thresholds)) break;
    }
    await this.#write({ ...now, ended: context.now().getTime() });
  }

  async #step(analysis: AnalysisExecution, { start, end, request }: Judgement): Promise<AnalysisExecution> {
    const { application, user, configId, config, accounts, thresholds } = analysis;
    const made = await this.#judgeNow({
      ...this.#fresh({ application, user, configId, config, accounts, request }),
      kind: 'canary',
      word: null,
      thresholds,
    });
    const score = made.word === null ? null : servedResult(made.word, thresholds).score.score;
    const judgement = { id: made.id, start, end, score, notes: made.word?.notes ?? [] };
    const now = { ...analysis, error: made.error, judgements: [...analysis.judgements, judgement] };
    await this.#write(now);
    this.#running.set(now.id, now);
    return now;
  }

  async #until(due: number): Promise<void> {
    const { context } = this.#options;
    for (;;) {
      const left = due - context.now().getTime();
      if (left <= 0) return;
      await delay(Math.min(left, LONGEST_WAIT_MS), undefined, { signal: context.signal });
    }
  }

  async #write(execution: Execution): Promise<void> {
    const { folder } = this.#options;
    await writeFileAtomic(join(folder, `${execution.id}.json`), `${JSON.stringify(execution)}\n`, 0o600);
    if (execution.ended !== null) await prune(folder, new Set(this.#running.keys()));
  }

  async #read(id: string): Promise<Execution | undefined> {
    if (!ID.test(id)) return undefined;
    try {
      return JSON.parse(await readFile(join(this.#options.folder, `${id}.json`), 'utf8')) as Execution;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** How messages name what came in a request. */
const PATH = 'The request';

const nameOf = ({ configId, application, id }: ExecutionRequest & { readonly id: string }) =>
  `${configId} for ${application} (${id})`;

/** A request that the judge can read. */
function checked({ config, request }: ExecutionRequest) {
  try {
    const { file } = queriesFrom({ canaryConfig: config, executionRequest: request }, PATH, {});
    return readKayentaInput({
      canaryConfig: file.canaryConfig,
      scoreThresholds: file.scoreThresholds,
      metricSetPairList: [],
    });
  } catch (error) {
    if (!(error instanceof JudgeInputError)) throw error;
    throw new Failure('usage', `The configuration cannot be judged: ${error.message}`, { cause: error });
  }
}

function errorOf(error: unknown): ExecutionError {
  const { message, next } = asFailure(error);
  return { message, next: next ?? null };
}

/** Removes the oldest files beyond those that are kept. */
async function prune(folder: string, running: ReadonlySet<string>): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json'));
  if (files.length <= KEPT) return;
  const aged = await Promise.all(
    files.map(async (file) => ({ file, at: (await stat(join(folder, file))).mtimeMs })),
  );
  const old = aged
    .filter(({ file }) => !running.has(file.replace(/\.json$/, '')))
    .sort((a, b) => a.at - b.at)
    .slice(0, files.length - KEPT);
  await Promise.all(old.map(({ file }) => rm(join(folder, file), { force: true })));
}
