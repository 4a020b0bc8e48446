/** A connection to a host over the OpenSSH client: `connect`. */

import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { bytes, duration } from '../format.ts';
import { lastLines } from '../process/output.ts';
import { runProcess } from '../process/run.ts';
import { redact, redactor } from '../redact.ts';
import { sshArguments } from './arguments.ts';
import type { Connection, RunOptions, RunResult, SshTarget } from './connection.ts';
import { type ConnectionFailure, connectionFailure } from './failures.ts';
import { Master } from './master.ts';
import { LONGEST_OPENING_MS, type Patience, patienceWith } from './patience.ts';
import { beginMark, endMark, killScript, ownOutput, runCommand, runInput, storeCommand } from './remote.ts';
import { throughTunnel } from './tunnel.ts';

/** What is not said follows from how long the host's first connection took. */
export interface ConnectOptions extends Partial<Patience> {
  /**
   * Seconds that the shared connection outlives its last command where this program does not close it (it was
   * killed). Default 60.
   */
  readonly persistSeconds?: number;
  /** The ssh program. Default `ssh` on the PATH. */
  readonly program?: string;
}

const DEFAULT_TIMEOUT_MS = 10 * 60_000;
/**
 * A run whose last line has come and whose channel stays open was left by a process in its background: it is
 * not waited for longer.
 */
const LINGER_MS = 1_000;
/** Characters of a run's output that are kept where its lines were received. */
const KEPT_BESIDE_LINES = 1_000_000;
/** For a run that is ended: SIGTERM first, SIGKILL after this. */
const GRACE_SECONDS = 3;

/**
 * One multiplexed connection to `target`. Nothing is opened before the first call; after `close` a call opens
 * it again.
 */
export function connect(target: SshTarget, context: Context, options: ConnectOptions = {}): Connection {
  return new OpenSshConnection(target, context, options);
}

/**
 * What one run on the host gave. Without its last line the exit code is the client's (-1: a signal ended it),
 * not the script's.
 */
interface Outcome extends RunResult {
  readonly complete: boolean;
}

/** Hands a run's standard input over. */
type RunFeed = (token: string, stdin: NodeJS.WritableStream) => Promise<void>;

class OpenSshConnection implements Connection {
  readonly target: SshTarget;
  readonly #context: Context;
  readonly #program: string;
  readonly #wanted: Partial<Patience>;
  readonly #env: NodeJS.ProcessEnv;
  readonly #master: Master;

  constructor(target: SshTarget, context: Context, options: ConnectOptions) {
    this.target = target;
    this.#context = context;
    this.#program = options.program ?? 'ssh';
    this.#wanted = options;
    // ssh's own messages are told apart by their English text.
    this.#env = { ...context.env, LC_ALL: 'C' };
    this.#master = new Master({
      target,
      program: this.#program,
      args: (openedMs) => sshArguments(target, patienceWith(openedMs, options)),
      env: this.#env,
      persistSeconds: options.persistSeconds ?? 60,
      limitMs: (openedMs) => openingLimit(patienceWith(openedMs, options)),
      // a caller with a patience of its own tries again by itself
      ...(options.connectTimeoutSeconds === undefined ? { longestMs: LONGEST_OPENING_MS } : {}),
      onSlow: () => context.progress({ host: target.name, stage: 'slow to answer', state: 'running' }),
      signal: context.signal,
    });
  }

  get openedMs(): number | undefined {
    return this.#master.openedMs;
  }

  sshArguments(): readonly string[] {
    return sshArguments(this.target, patienceWith(this.openedMs, this.#wanted));
  }

  async script(text: string, options: RunOptions): Promise<RunResult> {
    const hide = redactor(options.secrets);
    this.#trace(hide(`${options.label}\n${options.shown ?? text.trimEnd()}`));
    const result = await this.#run(
      (token) => runCommand(this.target.user, token),
      options,
      (token, stdin) => pipeline(Readable.from([runInput(text, token)]), stdin),
    );
    const stdout = options.secretOutput === true ? '(output not shown)\n' : result.stdout;
    this.#trace(hide(`${options.label}: exit ${result.exitCode}\n${stdout}${result.stderr}`.trimEnd()));
    return result;
  }

  async check(text: string, options: RunOptions): Promise<string> {
    const result = await this.script(text, options);
    if (result.exitCode === 0) return result.stdout;
    throw new Failure('host', `${this.target.name}: ${options.label} failed (exit ${result.exitCode})`, {
      host: this.target.name,
      step: options.label,
      output: lastLines(shownOutput(result, options)),
      next: 'The whole output: the same command with --verbose.',
    });
  }

  async upload(
    source: { readonly path: string } | { readonly data: Uint8Array },
    remotePath: string,
    options: {
      readonly mode?: string;
      readonly signal?: AbortSignal;
      readonly onProgress?: (bytes: number) => void;
    },
  ): Promise<void> {
    const size = 'path' in source ? (await stat(source.path)).size : source.data.byteLength;
    const file = { path: remotePath, size, mode: options.mode ?? '0644' };
    const label = `upload ${remotePath}`;
    this.#trace(`${label} (${size} B, mode ${file.mode})`);
    let sent = 0;
    const count = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        sent += chunk.length;
        options.onProgress?.(sent);
        done(null, chunk);
      },
    });
    const result = await this.#run(
      (token) => storeCommand(this.target.user, token, file),
      { label, signal: options.signal, timeoutMs: Number.POSITIVE_INFINITY },
      (_token, stdin) =>
        pipeline(
          'path' in source ? createReadStream(source.path) : Readable.from([Buffer.from(source.data)]),
          count,
          stdin,
        ),
    );
    if (result.exitCode === 0) return;
    throw uploadFailure(this.target, file, result);
  }

  tunnel<T>(remotePort: number, work: (port: number) => Promise<T>): Promise<T> {
    const client = async () => ({
      program: this.#program,
      args: [
        ...(await this.#master.client(this.#context.signal)),
        '-W',
        `127.0.0.1:${remotePort}`,
        ...this.sshArguments(),
      ],
      env: this.#env,
    });
    return throughTunnel(client, work);
  }

  close(): Promise<void> {
    return this.#master.close();
  }

  /**
   * Runs a command line on the host with `input`, within its time, and ends it there too where it is given up
   * here.
   */
  async #run(line: (token: string) => string, options: RunOptions, input: RunFeed): Promise<RunResult> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const time = new AbortController();
    const timer = Number.isFinite(timeoutMs) ? setTimeout(() => time.abort(), timeoutMs) : undefined;
    const stop = AbortSignal.any([this.#context.signal, ...(options.signal ? [options.signal] : [])]);
    const signal = AbortSignal.any([stop, time.signal]);
    const token = randomBytes(8).toString('hex');
    let client: readonly string[] | undefined;
    let result: RunResult = { exitCode: -1, stdout: '', stderr: '' };
    try {
      signal.throwIfAborted();
      client = await this.#master.client(signal);
      const args = [...client, ...this.sshArguments(), line(token)];
      const { complete, ...outcome } = await this.#execute(args, token, options, input, signal);
      if (complete) return outcome;
      result = outcome;
      signal.throwIfAborted();
    } catch (error) {
      // Stopped, out of time, or thrown by whoever receives the lines: nobody waits for the run any more.
      if (client !== undefined) await this.#kill(client, token);
      stop.throwIfAborted();
      throw time.signal.aborted ? timeoutFailure(this.target, options, timeoutMs, result) : error;
    } finally {
      clearTimeout(timer);
    }
    throw await this.#explain(result, options);
  }

  /** One client over the master: until the run's last line, the client's end, or the signal. */
  async #execute(
    args: readonly string[],
    token: string,
    options: RunOptions,
    input: RunFeed,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const mark = endMark(token);
    const linger = new AbortController();
    let exitCode: number | undefined;
    const onStderr = (text: string) => {
      const end = mark.exec(text);
      if (end !== null) {
        exitCode = Number(end[1]);
        setTimeout(() => linger.abort(), LINGER_MS).unref();
      }
      const own = end === null ? text : text.slice(0, end.index);
      if (end === null || own !== '') options.onStderr?.(own);
    };
    const result = await runProcess(this.#program, args, {
      env: this.#env,
      input: (stdin) => input(token, stdin),
      onStdout: afterMark(beginMark(token), options.onStdout),
      onChunk: afterMarkedChunk(beginMark(token), options.onOutput),
      onStderr,
      signal: AbortSignal.any([signal, linger.signal]),
      // Whoever receives the lines needs the rest for messages alone.
      ...(options.onStdout === undefined ? {} : { keep: KEPT_BESIDE_LINES }),
    });
    if (result.wasCut && options.onStdout === undefined) throw tooMuch(this.target, options);
    const stderr = result.stderr.replace(new RegExp(`${mark.source.slice(0, -1)}\\n?`), '');
    return {
      complete: exitCode !== undefined,
      exitCode: exitCode ?? result.exitCode ?? -1,
      stdout: ownOutput(result.stdout, token),
      stderr,
    };
  }

  /**
   * Ends a run on the host that is given up here. Best effort: where the connection is gone there is nobody
   * to ask.
   */
  async #kill(client: readonly string[], token: string): Promise<void> {
    if (!(await this.#master.answers())) return;
    const own = randomBytes(8).toString('hex');
    const args = [...client, ...this.sshArguments(), runCommand(this.target.user, own)];
    await runProcess(this.#program, args, {
      env: this.#env,
      signal: AbortSignal.timeout((GRACE_SECONDS + 10) * 1_000),
      input: (stdin) => pipeline(Readable.from([runInput(killScript(token, GRACE_SECONDS), own)]), stdin),
    }).catch((error: unknown) => this.#trace(`could not end what was running: ${error}`));
  }

  async #explain(result: RunResult, options: RunOptions): Promise<ConnectionFailure> {
    // While the master stands, a client that ends with 255 was told that the command died of a signal.
    const died = result.exitCode === 255 && (await this.#master.answers());
    const exitCode = died ? -1 : result.exitCode;
    const stderr = shownOutput(result, options);
    return connectionFailure(this.target, { stderr, exitCode, connected: true, step: options.label });
  }

  #trace(text: string): void {
    for (const line of text.split('\n')) this.#context.trace(`${this.target.name}: ${line}`);
  }
}

/** Milliseconds until an opening is given up, whatever ssh itself does. */
function openingLimit({ connectTimeoutSeconds, signInSeconds }: Patience): number {
  return (connectTimeoutSeconds + signInSeconds) * 1_000;
}

/** Lines after the one that ends with the mark. */
function afterMark(
  mark: string,
  onLine: ((line: string) => void) | undefined,
): ((line: string) => void) | undefined {
  if (onLine === undefined) return undefined;
  let begun = false;
  return (line) => {
    if (begun) onLine(line);
    else begun = line.endsWith(mark);
  };
}

/** Bytes after the line that ends with the mark. */
function afterMarkedChunk(mark: string, onOutput: RunOptions['onOutput']): RunOptions['onOutput'] {
  if (onOutput === undefined) return undefined;
  let before: Buffer | undefined = Buffer.alloc(0);
  return (chunk) => {
    if (before === undefined) return onOutput(chunk);
    before = Buffer.concat([before, chunk]);
    const at = before.indexOf(`${mark}\n`);
    if (at < 0) {
      // What a chatty shell prints before it is none of ours.
      before = before.subarray(-mark.length);
      return undefined;
    }
    const own = before.subarray(at + mark.length + 1);
    before = undefined;
    return own.length === 0 ? undefined : onOutput(own);
  };
}

/** The output as it may be shown. */
function shownOutput({ stdout, stderr }: RunResult, options: RunOptions): string {
  return redactor(options.secrets)(options.secretOutput === true ? stderr : `${stdout}\n${stderr}`);
}

function timeoutFailure(
  target: SshTarget,
  options: RunOptions,
  timeoutMs: number,
  result: RunResult,
): Failure {
  return new Failure('host', `${target.name}: ${options.label} did not end within ${duration(timeoutMs)}`, {
    host: target.name,
    step: options.label,
    output: lastLines(shownOutput(result, options)),
    next: 'It was ended on the host. See what it waits for with --verbose, then run the command again.',
  });
}

function tooMuch(target: SshTarget, options: RunOptions): Failure {
  return new Failure('host', `${target.name}: ${options.label} printed more than can be read`, {
    host: target.name,
    step: options.label,
    next: 'Something on the host prints without end. See what with --verbose.',
  });
}

/** ENOSPC: the code with which the upload's script says that the disk is full. */
const DISK_FULL = 28;

function uploadFailure(
  target: SshTarget,
  file: { readonly path: string; readonly size: number },
  result: RunResult,
): Failure {
  const step = `upload ${file.path}`;
  const details = { host: target.name, step, output: lastLines(redact(result.stderr)) };
  if (result.exitCode === DISK_FULL) {
    const [free, size] = result.stdout.trim().split(/\s+/).map(Number);
    const room = `${sizeOf(free)} free of ${sizeOf(size)}`;
    return new Failure('host', `${target.name}: ${step}: no room for ${sizeOf(file.size)}, ${room}`, {
      ...details,
      next:
        'Make room on the host or give it a larger disk, then run the command again. Nothing was ' +
        'replaced.',
    });
  }
  return new Failure('host', `${target.name}: ${step} failed (exit ${result.exitCode})`, {
    ...details,
    next: 'What stood there before still stands. The whole output: the same command with --verbose.',
  });
}

function sizeOf(count: number | undefined): string {
  return count === undefined || !Number.isFinite(count) ? 'an unknown size' : bytes(count);
}
