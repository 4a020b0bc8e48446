/**
 * A project, its hosts and its provider for tests of whole commands: the program runs in the test's process,
 * hosts answer by what they are asked for, and nothing leaves this machine.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runProgram } from '../../src/cli/program.ts';
import type { CloudPlan, Destroyed, Machine, Provider } from '../../src/cloud/provider.ts';
import type { Connection, RunOptions, RunResult, SshTarget } from '../../src/ssh/connection.ts';

/** What a host says to a script; an error is what the connection throws. */
export type Answer = { exitCode?: number; stdout?: string; stderr?: string; lines?: string[] } | Error;
export interface Question {
  readonly host: string;
  readonly label: string;
  readonly script: string;
}

/** What a command ended with. */
export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as the one document that `--json` promises. */
  readonly json: unknown;
}

export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'pipeline-cli-'));
  /** Everything that hosts were asked, in order. */
  readonly asked: Question[] = [];
  /** By label, or by `host: label`, which comes first. */
  readonly answers: Record<string, (question: Question) => Answer> = {
    // No firewall is in force.
    'look at the firewall for app': () => ({}),
  };
  readonly provider = new FakeProvider();
  readonly interrupted = new AbortController();

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Runs one command line in the project's folder. */
  async run(argv: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
    let stdout = '';
    let stderr = '';
    const exitCode = await runProgram(argv, {
      env: {
        PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
        HOME: this.folder,
        XDG_CACHE_HOME: join(this.folder, '.cache'),
        PIPELINE_USER: 'ann',
        ...env,
      },
      cwd: this.folder,
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: (text: string) => (stderr += text) },
      interrupted: this.interrupted.signal,
    });
    const document = () => {
      try {
        return JSON.parse(stdout);
      } catch {
        return undefined;
      }
    };
    return { exitCode, stdout, stderr, json: argv.includes('--json') ? document() : undefined };
  }

  /** Labels of what was asked, each with its host. */
  said(): readonly string[] {
    return this.asked.map(({ host, label }) => `${host}: ${label}`);
  }

  readonly connect = (target: SshTarget, context: { readonly signal: AbortSignal }): Connection => {
    const { name } = target;
    const script = async (text: string, options: RunOptions): Promise<RunResult> => {
      context.signal.throwIfAborted();
      const question = { host: name, label: options.label, script: text };
      this.asked.push(question);
      const answer = this.answers[`${name}: ${options.label}`] ?? this.answers[options.label];
      if (answer === undefined) {
        if (options.label === 'lock') return this.#lock(options);
        throw new Error(`nobody answers "${name}: ${options.label}"`);
      }
      const result = answer(question);
      context.signal.throwIfAborted();
      if (result instanceof Error) throw result;
      for (const line of result.lines ?? []) options.onStdout?.(line);
      return {
        exitCode: result.exitCode ?? 0,
        stdout: result.stdout ?? (result.lines ?? []).map((line) => `${line}\n`).join(''),
        stderr: result.stderr ?? '',
      };
    };
    return {
      target,
      script,
      check: async (text, options) => (await script(text, options)).stdout,
      upload: async (_source, path) => {
        this.asked.push({ host: name, label: `upload ${path}`, script: '' });
      },
      tunnel: () => Promise.reject(new Error('no tunnel is expected')),
      sshArguments: () => ['-p', String(target.port), `${target.user}@${target.address}`],
      close: async () => {},
    };
  };

  /** Held until it is given back. */
  #lock(options: RunOptions): Promise<RunResult> {
    options.onStdout?.('locked');
    return new Promise((_resolve, reject) => {
      options.signal?.addEventListener('abort', () => reject(options.signal?.reason), { once: true });
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** A provider whose machines are a list. */
class FakeProvider implements Provider {
  readonly name = 'local';
  existing: readonly Machine[] = [];
  next: readonly Machine[] = [];
  left: readonly string[] = [];
  failure: Error | undefined;
  readonly calls: string[] = [];

  async plan(): Promise<CloudPlan> {
    this.#called('plan');
    const changes = this.next.map(({ name }) => ({
      host: name,
      step: 'host',
      action: 'create' as const,
      detail: ['2 GB'],
    }));
    return { changes, machines: this.existing, warnings: [] };
  }

  async apply(): Promise<readonly Machine[]> {
    this.#called('apply');
    if (this.failure !== undefined) throw this.failure;
    this.existing = [...this.existing, ...this.next];
    this.next = [];
    return this.existing;
  }

  async machines(): Promise<readonly Machine[]> {
    this.#called('machines');
    return this.existing;
  }

  async destroyable(): Promise<Destroyed> {
    return { removed: this.existing.map(({ name }) => `host ${name}`), left: this.left };
  }

  async remove(name: string): Promise<void> {
    this.#called(`remove ${name}`);
    this.existing = this.existing.filter((one) => one.name !== name);
  }

  async destroy(): Promise<Destroyed> {
    this.#called('destroy');
    const destroyed = await this.destroyable();
    this.existing = [];
    return destroyed;
  }

  #called(name: string): void {
    this.calls.push(name);
  }
}

export function machine(name: string, more: Partial<Machine> = {}): Machine {
  return {
    name,
    group: name,
    address: '192.0.2.1',
    privateAddress: '10.0.0.1',
    state: 'running',
    user: 'root',
    port: 22,
    identityFile: '/dev/null',
    hostKeys: ['ssh-ed25519 AAAA'],
    monthlyCost: 0,
    ...more,
  };
}
