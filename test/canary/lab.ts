/** A project of its own with the example service, for tests that run real experiments. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CanaryOptions } from '../../src/canary/experiment/plan.ts';
import { type CanaryListener, type CanaryResult, runCanary } from '../../src/canary/experiment/run.ts';
import { labSpec } from '../../src/canary/lab/hosts.ts';
import { createLocalProvider } from '../../src/cloud/local/provider.ts';
import { canarySchema } from '../../src/config/app-schema.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { type Context, quietContext } from '../../src/context.ts';
import { connect } from '../../src/ssh/openssh.ts';
import { bundleAgent } from '../agent/support.ts';
import { guard } from '../support/hosts.ts';

export interface CanaryLab {
  readonly config: Config;
  /** Runs an experiment; the hosts stay for the next one. */
  run(
    baseline: string,
    candidate: string,
    options?: Partial<CanaryOptions>,
    more?: { readonly context?: Partial<Context>; readonly listener?: CanaryListener },
  ): Promise<CanaryResult>;
  /** Names of the hosts that exist. */
  hosts(): Promise<string[]>;
  removeHosts(): Promise<void>;
  /** The hosts that exist as an inventory of one's own; its path. */
  inventory(): Promise<string>;
  /** Output of a command on one of the hosts. */
  on(host: string, command: string): Promise<string>;
  stop(): Promise<void>;
}

/** Settings of the experiment beside its requests. */
export async function canaryLab(canary: Record<string, unknown> = {}, source?: string): Promise<CanaryLab> {
  const directory = await mkdtemp(join(tmpdir(), 'pipeline-canary-'));
  const repository = join(directory, 'survey');
  const example = join(import.meta.dirname, '..', '..', 'examples', 'survey', 'make-repository.mjs');
  await promisify(execFile)(process.execPath, [example, repository]);
  return labIn(directory, {
    survey: {
      source: source ?? repository,
      health: {
        method: 'POST',
        path: '/preview',
        headers: { 'content-type': 'application/json' },
        body: '{"markdown": "# Are you well?"}',
        status: 200,
      },
      canary: {
        requests: [
          {
            method: 'POST',
            path: '/preview',
            headers: { 'content-type': 'application/json' },
            body: '{"markdown": "# Are you well?\\n\\n* yes\\n* no\\n"}',
          },
        ],
        ...canary,
      },
    },
  });
}

/** A project of one's own in a folder, which goes at the end. `apps`: as in pipeline.yml, without hosts. */
export async function labIn(
  directory: string,
  apps: Readonly<Record<string, Record<string, unknown>>>,
): Promise<CanaryLab> {
  const agent = await bundleAgent();
  const config: Config = {
    ...configSchema.parse({
      project: `test-${randomBytes(4).toString('hex')}`,
      id: randomBytes(6).toString('hex'),
      hosts: { web: {} },
      apps: Object.fromEntries(Object.entries(apps).map(([name, app]) => [name, { hosts: ['web'], ...app }])),
    }),
    path: join(directory, 'pipeline.yml'),
    directory,
  };
  const spec = labSpec(config, { canary: canarySchema.parse({}), faults: [] });
  const release = guard(spec);
  return {
    config,
    run: (baseline, candidate, options = {}, { context = {}, listener } = {}) =>
      runCanary(
        { baseline, candidate, seed: 1, keep: true, ...options },
        { config, version: '0.0.0-test', agent: agent.path },
        quietContext({ cwd: directory, ...context }),
        listener,
      ),
    async hosts() {
      const machines = await createLocalProvider(quietContext(), spec).machines();
      return machines.map(({ name }) => name).sort();
    },
    async removeHosts() {
      await createLocalProvider(quietContext(), spec).destroy();
    },
    async inventory() {
      const machines = await createLocalProvider(quietContext(), spec).machines();
      const lines = machines.flatMap(({ name, address, port, user, identityFile }) => [
        `[${name}]`,
        `my-${name} ansible_host=${address} ansible_port=${port} ansible_user=${user} ` +
          `ansible_ssh_private_key_file=${identityFile}`,
      ]);
      const file = join(directory, 'my-inventory.ini');
      const known = join(directory, '.pipeline', `known_hosts.${spec.environment}`);
      lines.push('[all:vars]', `ansible_ssh_common_args=-o UserKnownHostsFile=${known}`);
      await writeFile(file, `${lines.join('\n')}\n`);
      return file;
    },
    async on(host, command) {
      const machine = (await createLocalProvider(quietContext(), spec).machines()).find(
        ({ name }) => name === host,
      );
      if (machine === undefined) throw new Error(`no host ${host}`);
      const knownHostsFile = join(directory, '.pipeline', `known_hosts.${spec.environment}`);
      const connection = connect({ ...machine, knownHostsFile }, quietContext());
      try {
        return await connection.check(command, { label: 'look' });
      } finally {
        await connection.close();
      }
    },
    async stop() {
      await createLocalProvider(quietContext(), spec).destroy();
      agent.remove();
      await rm(directory, { recursive: true, force: true });
      release();
    },
  };
}
