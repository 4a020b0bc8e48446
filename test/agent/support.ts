/** What the agent's tests share: the bundle as it ships, and a way onto a host. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Machine } from '../../src/cloud/provider.ts';
import { sshArguments } from '../support/ssh-arguments.ts';

/** Bundles the agent into one file, as it is shipped. */
export async function bundleAgent(): Promise<{ path: string; remove: () => void }> {
  const directory = mkdtempSync(join(tmpdir(), 'pipeline-agent-'));
  const path = join(directory, 'agent.js');
  await build({
    entryPoints: [join(import.meta.dirname, '../../src/agent/main.ts')],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    outfile: path,
    logLevel: 'error',
  });
  return { path, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** Runs a script on a host as root; throws with its output where it fails. */
export function onHost(machine: Machine, script: string): string {
  const result = spawnSync('ssh', [...sshArguments(machine), 'bash -s'], { input: script, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`exit ${result.status}: ${result.stdout}${result.stderr}`);
  return result.stdout;
}

/** Puts the agent and this machine's Node onto a host: /opt/agent.js, /opt/node. */
export function installAgent(machine: Machine, agentPath: string): void {
  for (const [source, target] of [
    [process.execPath, '/opt/node'],
    [agentPath, '/opt/agent.js'],
  ] as const) {
    const command = `cat > ${target} && chmod 755 ${target}`;
    const result = spawnSync('ssh', [...sshArguments(machine), command], { input: readFileSync(source) });
    if (result.status !== 0) throw new Error(`copying ${target}: ${result.stderr}`);
  }
}

/** Runs a command on a host and collects the lines it prints until `stop`. */
export function follow(machine: Machine, command: string): { lines: string[]; stop: () => void } {
  const lines: string[] = [];
  let rest = '';
  const child = spawn('ssh', [...sshArguments(machine), command], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.on('data', (data: Buffer) => {
    const parts = (rest + data.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  return { lines, stop: () => child.kill() };
}

/** Waits until `check` gives something; fails with `what` after `seconds`. */
export async function until<T>(what: string, check: () => T | undefined, seconds = 15): Promise<T> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; ) {
    const value = check();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`after ${seconds} s still not: ${what}`);
}
