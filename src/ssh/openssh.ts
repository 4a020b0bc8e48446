/** A connection to a host over the OpenSSH client: `connect`. */
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import { type Patience, sshArguments } from './arguments.ts';
import type { Connection, RunOptions, RunResult, SshTarget } from './connection.ts';
import { ConnectionFailure, connectionFailure, lastLines } from './failures.ts';
import { makeSocketFolder, masterStands, socketIn, startMaster } from './master.ts';
import { runProcess } from './process.ts';
import { redactor } from './redact.ts';
import { endMark, killScript, runCommand, runInput, storeCommand } from './remote.ts';

/** Defaults: 10 s to connect, and 30 s of silence, long enough for a small host that swaps. */
export interface ConnectOptions extends Partial<Patience> {
  /** Seconds that the shared connection outlives its last command where this program does not close it (it was killed). Default 60. */
  readonly persistSeconds?: number;
  /** The ssh program. Default `ssh` on the PATH. */
  readonly program?: string;
}

const DEFAULT_TIMEOUT_MS = 10 * 60_000;
/** For signing in, after the host has greeted: PAM and name services of the host can be slow. */
const SIGN_IN_MS = 20_000;
/** A run whose last line has come and whose channel stays open was left by a process in its background: it is not waited for longer. */
const LINGER_MS = 1_000;
/** For a run that is ended: SIGTERM first, SIGKILL after this. */
const GRACE_SECONDS = 3;

/** One multiplexed connection to `target`. Nothing is opened before the first call; after `close` a call opens it again. */
export function connect(target: SshTarget, context: Context, options: ConnectOptions = {}): Connection {
  return new OpenSshConnection(target, context, options);
}

/** What one run on the host gave. Without its last line the exit code is the client's (-1: a signal ended it), not the script's. */
interface Outcome extends RunResult {
  readonly complete: boolean;
}

/** Hands a run's standard input over. */
type RunFeed = (token: string, stdin: NodeJS.WritableStream) => Promise<void>;

class OpenSshConnection implements Connection {
  readonly target: SshTarget;
  readonly #context: Context;
  readonly #program: string;
  readonly #patience: Patience;
  readonly #persist: number;
  readonly #env: NodeJS.ProcessEnv;
  /** The folder with the control socket, while a master stands or is being started. */
  #opening: Promise<string> | undefined;

  constructor(target: SshTarget, context: Context, options: ConnectOptions) {
    this.target = target;
    this.#context = context;
    this.#program = options.program ?? 'ssh';
    this.#patience = {
      connectTimeoutSeconds: options.connectTimeoutSeconds ?? 10,
      silenceSeconds: options.silenceSeconds ?? 30,
    };
    this.#persist = options.persistSeconds ?? 60;
    // ssh's own messages are told apart by their English text.
    this.#env = { ...context.env, LC_ALL: 'C' };
  }

  sshArguments(): readonly string[] {
    return sshArguments(this.target, this.#patience);
  }

  async script(text: string, options: RunOptions): Promise<RunResult> {
    const hide = redactor(options.secrets);
    this.#trace(hide(`${options.label}\n${text.trimEnd()}`));
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
    const stdout = options.secretOutput === true ? '' : result.stdout;
    const output = lastLines(redactor(options.secrets)(`${stdout}\n${result.stderr}`));
    throw new Failure('host', `${this.target.name}: ${options.label} failed (exit ${result.exitCode})`, {
      host: this.target.name,
      step: options.label,
      output,
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

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    const folder = await opening?.catch(() => undefined);
    if (folder === undefined) return;
    if (masterStands(folder)) await this.#askMaster(folder, 'exit');
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }

  /** Runs a command line on the host with `input`, within its time, and ends it there too where it is given up here. */
  async #run(line: (token: string) => string, options: RunOptions, input: RunFeed): Promise<RunResult> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const time = new AbortController();
    const timer = Number.isFinite(timeoutMs) ? setTimeout(() => time.abort(), timeoutMs) : undefined;
    const stop = AbortSignal.any([this.#context.signal, ...(options.signal ? [options.signal] : [])]);
    const token = randomBytes(8).toString('hex');
    let result: RunResult = { exitCode: -1, stdout: '', stderr: '' };
    try {
      const signal = AbortSignal.any([stop, time.signal]);
      const { complete, ...outcome } = await this.#execute(line(token), token, options, input, signal);
      if (complete) return outcome;
      result = outcome;
      signal.throwIfAborted();
    } catch (error) {
      // Stopped, out of time, or thrown by whoever receives the lines: nobody waits for the run any more.
      await this.#kill(token);
      stop.throwIfAborted();
      throw time.signal.aborted ? timeoutFailure(this.target, options, timeoutMs, result) : error;
    } finally {
      clearTimeout(timer);
    }
    throw await this.#explain(result, options);
  }

  /** One client over the master: until the run's last line, the client's end, or the signal. */
  async #execute(
    line: string,
    token: string,
    options: RunOptions,
    input: RunFeed,
    signal: AbortSignal,
  ): Promise<Outcome> {
    signal.throwIfAborted();
    const folder = await this.#open(signal);
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
    const args = ['-S', socketIn(folder), '-o', 'ControlMaster=no', ...this.sshArguments(), line];
    const result = await runProcess(this.#program, args, {
      env: this.#env,
      input: (stdin) => input(token, stdin),
      onStdout: options.onStdout,
      onStderr,
      signal: AbortSignal.any([signal, linger.signal]),
    });
    const stderr = result.stderr.replace(new RegExp(`${mark.source.slice(0, -1)}\\n?`), '');
    return {
      complete: exitCode !== undefined,
      exitCode: exitCode ?? result.exitCode ?? -1,
      stdout: result.stdout,
      stderr,
    };
  }

  /** The master's folder; starts a master where none stands. Callers at the same time share one. */
  async #open(signal: AbortSignal): Promise<string> {
    const before = this.#opening;
    if (before !== undefined) {
      const folder = await before;
      if (masterStands(folder)) return folder;
      // It ended: the host restarted, or nothing was run for long.
      if (this.#opening === before) await this.close();
    }
    if (this.#opening === undefined) {
      const opening = this.#start();
      this.#opening = opening;
      opening.catch(() => {
        if (this.#opening === opening) this.#opening = undefined;
      });
    }
    return untilAborted(this.#opening, signal);
  }

  async #start(): Promise<string> {
    const folder = makeSocketFolder();
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), this.#patience.connectTimeoutSeconds * 1_000 + SIGN_IN_MS);
    const args = [
      ...['-M', '-N', '-S', socketIn(folder), '-o', `ControlPersist=${this.#persist}`],
      ...this.sshArguments(),
    ];
    try {
      this.#trace(`connect to ${this.target.user}@${this.target.address} port ${this.target.port}`);
      const signal = AbortSignal.any([this.#context.signal, limit.signal]);
      const { exitCode, stderr } = await startMaster(this.#program, args, folder, { env: this.#env, signal });
      this.#context.signal.throwIfAborted();
      if (exitCode === 0) return folder;
      throw connectionFailure(this.target, { stderr, exitCode, connected: false });
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? missingClient(this.#program) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends a run on the host that is given up here. Best effort: where the connection is gone there is nobody to ask. */
  async #kill(token: string): Promise<void> {
    const folder = await this.#opening?.catch(() => undefined);
    if (folder === undefined || !masterStands(folder)) return;
    const own = randomBytes(8).toString('hex');
    const args = ['-S', socketIn(folder), '-o', 'ControlMaster=no', ...this.sshArguments()];
    await runProcess(this.#program, [...args, runCommand(this.target.user, own)], {
      env: this.#env,
      signal: AbortSignal.timeout((GRACE_SECONDS + 3) * 1_000),
      input: (stdin) => pipeline(Readable.from([runInput(killScript(token, GRACE_SECONDS), own)]), stdin),
    }).catch((error: unknown) => this.#trace(`could not end what was running: ${error}`));
  }

  async #explain(result: RunResult, options: RunOptions): Promise<ConnectionFailure> {
    const folder = await this.#opening?.catch(() => undefined);
    // While the master stands, a client that ends with 255 was told that the command died of a signal.
    const died = result.exitCode === 255 && folder !== undefined && (await this.#askMaster(folder, 'check'));
    const exitCode = died ? -1 : result.exitCode;
    const stderr = redactor(options.secrets)(`${result.stdout}\n${result.stderr}`);
    return connectionFailure(this.target, { stderr, exitCode, connected: true, step: options.label });
  }

  /** Whether the master answered. */
  async #askMaster(folder: string, question: 'check' | 'exit'): Promise<boolean> {
    const args = ['-S', socketIn(folder), '-O', question, '--', this.target.address];
    const options = { env: this.#env, signal: AbortSignal.timeout(2_000) };
    return runProcess(this.#program, args, options).then(
      ({ exitCode }) => exitCode === 0,
      () => false,
    );
  }

  #trace(text: string): void {
    for (const line of text.split('\n')) this.#context.trace(`${this.target.name}: ${line}`);
  }
}

/** What others wait for too, awaited by one who may leave earlier. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

function missingClient(program: string): ConnectionFailure {
  return new ConnectionFailure('client', `the program ${program} is not installed`, {
    next: 'Install the OpenSSH client: apt-get install openssh-client.',
  });
}

function timeoutFailure(
  target: SshTarget,
  options: RunOptions,
  timeoutMs: number,
  result: RunResult,
): Failure {
  const output = lastLines(redactor(options.secrets)(`${result.stdout}\n${result.stderr}`));
  return new Failure('host', `${target.name}: ${options.label} did not end within ${timeoutMs / 1_000} s`, {
    host: target.name,
    step: options.label,
    output,
    next: 'It was ended on the host. See what it waits for with --verbose, then run the command again.',
  });
}

/** ENOSPC: the code with which the upload's script says that the disk is full. */
const DISK_FULL = 28;

function uploadFailure(
  target: SshTarget,
  file: { readonly path: string; readonly size: number },
  result: RunResult,
): Failure {
  const details = { host: target.name, step: `upload ${file.path}`, output: lastLines(result.stderr) };
  if (result.exitCode === DISK_FULL) {
    const [free, size] = result.stdout.trim().split(/\s+/).map(Number);
    const room = `${megabytes(free)} free of ${megabytes(size)}`;
    return new Failure(
      'host',
      `${target.name}: no room for ${file.path} (${megabytes(file.size)}): ${room}`,
      {
        ...details,
        next: 'Make room on the host or give it a larger disk, then run the command again. Nothing was replaced.',
      },
    );
  }
  return new Failure('host', `${target.name}: could not store ${file.path} (exit ${result.exitCode})`, {
    ...details,
    next: 'What stood there before still stands. The whole output: the same command with --verbose.',
  });
}

function megabytes(bytes: number | undefined): string {
  if (bytes === undefined || !Number.isFinite(bytes)) return 'an unknown size';
  return bytes < 1e6 ? `${bytes} B` : `${(bytes / 1e6).toFixed(1)} MB`;
}
