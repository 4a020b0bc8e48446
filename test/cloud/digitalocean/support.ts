/** What the tests of the DigitalOcean provider share: the reference deployment, a fake account, a provider between them. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fastClock } from '../../../src/cloud/digitalocean/clock.ts';
import { createDigitalOceanProvider } from '../../../src/cloud/digitalocean/provider.ts';
import type { EnvironmentSpec, Machine, MachineSpec, Provider } from '../../../src/cloud/provider.ts';
import { type Context, type ProgressEvent, quietContext } from '../../../src/context.ts';
import type { FakeAccount } from '../../fakes/digitalocean/account.ts';
import {
  FAKE_TOKEN,
  type FakeDigitalOcean,
  type FakeOptions,
  startFake,
} from '../../fakes/digitalocean/server.ts';
import { simulatedConnect } from '../../fakes/digitalocean/simulated-ssh.ts';

/** Clocks of client and fake run so many times faster than this machine's: a wait of two seconds takes ten milliseconds. */
export const SPEED = 200;

export function machineSpec(name: string, overrides: Partial<MachineSpec> = {}): MachineSpec {
  return {
    name,
    group: name.replace(/-\d+$/, ''),
    roles: [],
    exposures: [{ port: 22, protocol: 'tcp', from: 'operators' }],
    memoryBytes: 2 ** 30,
    cpus: 1,
    size: 's-1vcpu-1gb',
    region: 'nyc3',
    image: 'debian-12-x64',
    ...overrides,
  };
}

/** The three hosts that the specification describes. */
export function referenceSpec(directory: string, overrides: Partial<EnvironmentSpec> = {}): EnvironmentSpec {
  const web = { port: 80, protocol: 'tcp', from: 'anyone' } as const;
  return {
    project: 'shop',
    environment: 'prod',
    owner: '3f2a91c07bd4',
    directory,
    machines: [
      machineSpec('monitor', { exposures: [web, { port: 6379, protocol: 'tcp', from: 'fleet' }] }),
      machineSpec('checkbox', { exposures: [web] }),
      machineSpec('itrust', { exposures: [web], size: 's-1vcpu-2gb' }),
    ],
    operators: ['203.0.113.7/32'],
    authorizedKeys: [],
    ...overrides,
  };
}

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
