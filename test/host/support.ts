/** Real hosts to converge: how they are reached, and a program of its own that can be killed. */

import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from '../../src/cloud/provider.ts';
import type { Resource } from '../../src/host/resource.ts';
import type { Connection, SshTarget } from '../../src/ssh/connection.ts';
import { writeKnownHosts } from '../../src/ssh/known-hosts.ts';
import { bundleProgram } from '../support/bundle.ts';

/** How a machine of a test is reached; its host key is known. */
export async function targetOf(machine: Machine, directory: string): Promise<SshTarget> {
  const { name, address, port, user, identityFile, hostKeys } = machine;
  const knownHostsFile = join(directory, `known_hosts.${name}`);
  await writeKnownHosts(knownHostsFile, [{ address, port, keys: hostKeys }]);
  return { name, address, port, user, identityFile, knownHostsFile };
}

/** A connection that counts how often a script was run over it. */
export class CountingConnection implements Connection {
  runs = 0;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }
  get target() {
    return this.#connection.target;
  }
  script(...args: Parameters<Connection['script']>) {
    this.runs++;
    return this.#connection.script(...args);
  }
  check(...args: Parameters<Connection['check']>) {
    this.runs++;
    return this.#connection.check(...args);
  }
  upload(...args: Parameters<Connection['upload']>) {
    return this.#connection.upload(...args);
  }
  tunnel<T>(port: number, work: (port: number) => Promise<T>): Promise<T> {
    return this.#connection.tunnel(port, work);
  }
  sshArguments() {
    return this.#connection.sshArguments();
  }
  close() {
    return this.#connection.close();
  }
}

/** What a command prints on the host, without the last line end; fails where the command does. */
export async function on(connection: Connection, command: string): Promise<string> {
  return (await connection.check(command, { label: 'look' })).trimEnd();
}

/** `converge-once.ts`, so that Node can run it as a process of its own. */
export function bundleConverge(): ReturnType<typeof bundleProgram> {
  return bundleProgram(join(import.meta.dirname, 'converge-once.ts'));
}

/** Starts it; `stage` resolves when it reports a stage that holds `text`. */
export function startConverge(program: string, target: SshTarget, resources: readonly Resource[]) {
  const input = `${program}.${target.name}.json`;
  writeFileSync(input, JSON.stringify({ target, resources }));
  const child: ChildProcess = spawn(process.execPath, [program, input], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const waiting: { text: string; resolve: () => void }[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      for (const one of waiting) if (output.includes(one.text)) one.resolve();
    });
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    ended,
    kill: () => child.kill('SIGKILL'),
    output: () => output,
    stage: (text: string) =>
      Promise.race([
        new Promise<void>((resolve) => {
          waiting.push({ text, resolve });
          if (output.includes(text)) resolve();
        }),
        ended.then(() => {
          throw new Error(`it ended before "${text}":\n${output}`);
        }),
      ]),
  };
}
