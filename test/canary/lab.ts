/** A project of its own with the example service, for tests that run real experiments. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { labSpec } from '../../src/canary/hosts.ts';
import type { CanaryOptions } from '../../src/canary/plan.ts';
import { type CanaryListener, type CanaryResult, runCanary } from '../../src/canary/run.ts';
import { createLocalProvider } from '../../src/cloud/local/provider.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { type Context, quietContext } from '../../src/context.ts';
import { bundleAgent } from '../agent/support.ts';

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
  stop(): Promise<void>;
}

/** Settings of the experiment beside its requests. */
export async function canaryLab(canary: Record<string, unknown> = {}, source?: string): Promise<CanaryLab> {
  const directory = await mkdtemp(join(tmpdir(), 'pipeline-canary-'));
  const repository = join(directory, 'survey');
  const example = join(import.meta.dirname, '..', '..', 'examples', 'survey', 'make-repository.mjs');
  const [agent] = await Promise.all([
    bundleAgent(),
    promisify(execFile)(process.execPath, [example, repository]),
  ]);
  const config: Config = {
    ...configSchema.parse({
      project: `test-${randomBytes(4).toString('hex')}`,
      id: randomBytes(6).toString('hex'),
      hosts: { web: {} },
      apps: {
        survey: {
          source: source ?? repository,
          hosts: ['web'],
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
      },
    }),
    path: join(directory, 'pipeline.yml'),
    directory,
  };
  const definition = config.apps.survey?.canary;
  if (definition === undefined) throw new Error('the survey has a canary');
  const spec = labSpec(config, { canary: definition });
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
    async stop() {
      await createLocalProvider(quietContext(), spec).destroy();
      agent.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
