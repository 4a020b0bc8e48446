/** A local host that a test reaches over SSH. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Machine } from '../../../src/cloud/provider.ts';
import { quietContext } from '../../../src/context.ts';
import type { Connection, SshTarget } from '../../../src/ssh/connection.ts';
import { ConnectionFailure } from '../../../src/ssh/failures.ts';
import { writeKnownHosts } from '../../../src/ssh/known-hosts.ts';
import { connect } from '../../../src/ssh/openssh.ts';
import { startHosts, type TestHosts } from '../../support/hosts.ts';

export const label = 'test';

export class ShellHost {
  #started: Started | undefined;

  async start(): Promise<void> {
    const hosts = await startHosts({ names: ['shell'] });
    const machine = hosts.machine('shell');
    const folder = mkdtempSync(join(tmpdir(), 'pipeline ssh test 100%-'));
    const target = await targetOf(machine, folder, {});
    this.#started = { hosts, machine, folder, target, host: connect(target, quietContext()) };
  }

  async stop(): Promise<void> {
    if (this.#started === undefined) return;
    const { host, folder, hosts } = this.#started;
    await host.close();
    rmSync(folder, { recursive: true, force: true });
    await hosts.stop();
  }

  /** A folder of this machine, whose name has a space and a percent sign. */
  get folder(): string {
    return this.#running.folder;
  }

  get machine(): Machine {
    return this.#running.machine;
  }

  get target(): SshTarget {
    return this.#running.target;
  }

  get host(): Connection {
    return this.#running.host;
  }

  get #running(): Started {
    if (this.#started === undefined) throw new Error('the host was not started');
    return this.#started;
  }

  /** The host under another port, user, key …; its key is known. */
  targetFor(changes: Partial<SshTarget>): Promise<SshTarget> {
    return targetOf(this.machine, this.folder, changes);
  }

  /** What a first command on a connection fails with. */
  async failureOf(changes: Partial<SshTarget>, connectTimeoutSeconds = 5): Promise<ConnectionFailure> {
    const connection = connect(await this.targetFor(changes), quietContext(), { connectTimeoutSeconds });
    try {
      const result = await connection.script('true', { label });
      throw new Error(`it worked: ${JSON.stringify(result)}`);
    } catch (error) {
      if (!(error instanceof ConnectionFailure)) throw error;
      expect(error).toMatchObject({ kind: 'host', host: 'shell', next: expect.stringMatching(/\S/) });
      return error;
    } finally {
      await connection.close();
    }
  }

  /** Processes on the host whose command line holds a text. */
  async running(text: string): Promise<string> {
    const count = `echo ${text} | grep -lsaFf - /proc/[0-9]*/cmdline | wc -l`;
    return (await this.host.check(count, { label })).trim();
  }
}

interface Started {
  readonly hosts: TestHosts;
  readonly machine: Machine;
  readonly folder: string;
  readonly target: SshTarget;
  readonly host: Connection;
}

async function targetOf(
  { name, address, port, user, identityFile, hostKeys }: Machine,
  folder: string,
  changes: Partial<SshTarget>,
): Promise<SshTarget> {
  const knownHostsFile = join(folder, `known hosts ${changes.port ?? port}`);
  await writeKnownHosts(knownHostsFile, [{ address, port: changes.port ?? port, keys: hostKeys }]);
  return { name, address, port, user, identityFile, knownHostsFile, ...changes };
}
