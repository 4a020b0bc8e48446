/**
 * What the tests of the DigitalOcean provider share: the reference deployment, a fake account, a provider
 * between them.
 */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fastClock } from '../../../src/cloud/digitalocean/api/clock.ts';
import { createDigitalOceanProvider } from '../../../src/cloud/digitalocean/provider.ts';
import type { EnvironmentSpec, Machine, Provider } from '../../../src/cloud/provider.ts';
import { type Context, type ProgressEvent, quietContext } from '../../../src/context.ts';
import type { FakeAccount } from '../../fakes/digitalocean/account.ts';
import {
  FAKE_TOKEN,
  type FakeDigitalOcean,
  type FakeOptions,
  startFake,
} from '../../fakes/digitalocean/server.ts';
import { simulatedConnect } from '../../fakes/digitalocean/simulated-ssh.ts';
import { referenceSpec } from './reference.ts';

/**
 * Clocks of client and fake run so many times faster than this machine's: a wait of two seconds takes ten
 * milliseconds.
 */
export const SPEED = 200;

export interface Scene {
  readonly fake: FakeDigitalOcean;
  readonly account: FakeAccount;
  readonly directory: string;
  readonly spec: EnvironmentSpec;
  /** Everything that was shown and traced. */
  readonly events: ProgressEvent[];
  readonly trace: string[];
  provider(
    overrides?: Partial<EnvironmentSpec>,
    options?: { token?: string; env?: Context['env']; timeoutMs?: number },
  ): Provider;
  /** What `pipeline prod up` does with the cloud. */
  up(overrides?: Partial<EnvironmentSpec>): Promise<readonly Machine[]>;
}

/** A fake account and a project folder for one test; both are gone afterwards. */
export async function withScene<T>(options: FakeOptions, use: (scene: Scene) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'pipeline-do-'));
  const speed = options.speed ?? SPEED;
  const fake = await startFake({ ...options, speed });
  const events: ProgressEvent[] = [];
  const trace: string[] = [];
  const spec = referenceSpec(directory);
  const provider: Scene['provider'] = (overrides = {}, { token = FAKE_TOKEN, env = {}, timeoutMs } = {}) =>
    createDigitalOceanProvider(
      quietContext({ env, progress: (event) => events.push(event), trace: (line) => trace.push(line) }),
      { ...spec, ...overrides },
      { token, timeoutMs, apiUrl: fake.url, clock: fastClock(speed), connect: simulatedConnect(fake.url) },
    );
  const up: Scene['up'] = async (overrides) => {
    const one = provider(overrides);
    return one.apply(await one.plan());
  };
  try {
    return await use({ fake, account: fake.account, directory, spec, events, trace, provider, up });
  } finally {
    await fake.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Names of calls that change something. */
export function writes(fake: FakeDigitalOcean): string[] {
  return fake
    .calls()
    .filter(({ method }) => method !== 'GET')
    .map(({ method, route }) => `${method} ${route}`);
}
