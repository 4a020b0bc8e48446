/** The program as a user runs it: `bin/pipeline` in a process of its own, in a project folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { whenGone } from './when-gone.ts';

/** After a killed test runner: the program's words are Node, bin/pipeline and the folder. */
const CLEAN_UP = `export PIPELINE_PROVIDER=local
"$0" "$1" prod destroy --yes --wait
"$0" "$1" prod destroy --canary --yes --wait
rm -rf "$2"`;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Ended {
  /** 128 + signal number where it was killed. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

export interface ProgramOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts one command. Standard input is empty. */
export function start(args: readonly string[], { cwd, env = {} }: ProgramOptions): Running {
  if (!existsSync(join(ROOT, 'dist/cli.js'))) throw new Error('dist/ is missing: run `npm run build` first');
  const child = spawn(process.execPath, [join(ROOT, 'bin/pipeline'), ...args], {
    cwd,
    env: { ...process.env, PIPELINE_PROVIDER: 'local', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({ exitCode: code ?? (signal === 'SIGKILL' ? 137 : 143), stdout, stderr }),
    );
  });
  return { process: child, ended };
}

/** Runs one command to its end. */
export function run(args: readonly string[], options: ProgramOptions): Promise<Ended> {
  return start(args, options).ended;
}

/**
 * Runs one command with `--json` and reads its document. A failure to do so shows what the command printed.
 */
export async function runJson(
  args: readonly string[],
  options: ProgramOptions,
): Promise<Ended & { readonly json: unknown }> {
  const ended = await run([...args, '--json'], options);
  try {
    return { ...ended, json: JSON.parse(ended.stdout) as unknown };
  } catch {
    throw new Error(
      `no JSON from ${args.join(' ')}: exit ${ended.exitCode}\n${ended.stdout}\n${ended.stderr}`,
    );
  }
}

/** A project folder with this `pipeline.yml`; `remove` takes its hosts and itself away. */
export function projectFolder(yaml: string): { readonly path: string; remove(): Promise<void> } {
  const path = mkdtempSync(join(tmpdir(), 'pipeline-e2e-'));
  writeFileSync(join(path, 'pipeline.yml'), yaml);
  const release = whenGone(['sh', '-c', CLEAN_UP, process.execPath, join(ROOT, 'bin/pipeline'), path], path);
  return {
    path,
    async remove() {
      const ended = await run(['prod', 'destroy', '--yes', '--wait'], { cwd: path });
      if (ended.exitCode !== 0) throw new Error(`destroy failed: ${ended.stdout}${ended.stderr}`);
      await rm(path, { recursive: true, force: true });
      release();
    },
  };
}
