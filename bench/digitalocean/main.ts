/**
 * A fleet from nothing against the fake API with realistic delays: how much longer it takes than its
 * droplets need to boot, and how many calls it makes.
 *
 *   npm run bench digitalocean -- [--droplets 50] [--boot 30] [--speed 2]
 *
 * Clocks of fake and client run `speed` times faster than this machine's, so what this machine itself needs
 * counts `speed` times: the figures are upper
 * bounds.
 */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fastClock } from '../../src/cloud/digitalocean/api/clock.ts';
import { createDigitalOceanProvider } from '../../src/cloud/digitalocean/provider.ts';
import type { EnvironmentSpec } from '../../src/cloud/provider.ts';
import { type ProgressEvent, quietContext } from '../../src/context.ts';
import { machineSpec } from '../../test/cloud/digitalocean/reference.ts';
import { fakeAccount, REALISTIC_DELAYS } from '../../test/fakes/digitalocean/account.ts';
import { FAKE_TOKEN, startFake } from '../../test/fakes/digitalocean/server.ts';
import { simulatedConnect } from '../../test/fakes/digitalocean/simulated-ssh.ts';

/** The goal: at most so many times the boot time, plus what the rate limit imposes. */
const GOAL = 1.3;

const { values } = parseArgs({
  options: {
    droplets: { type: 'string', default: '50' },
    boot: { type: 'string', default: '30' },
    speed: { type: 'string', default: '2' },
  },
});
const [droplets, boot, speed] = [Number(values.droplets), Number(values.boot), Number(values.speed)];

const directory = mkdtempSync(join(tmpdir(), 'pipeline-bench-do-'));
const account = fakeAccount({ dropletLimit: droplets, delays: { ...REALISTIC_DELAYS, boot: boot * 1_000 } });
const fake = await startFake({ account, speed });
const clock = fastClock(speed);
let limited = 0;
let limitedSince: number | undefined;
/** Time that the API's limits imposed: between the first wait and its end. */
const progress = ({ stage, state }: ProgressEvent): void => {
  if (stage !== 'API rate limit') return;
  if (state === 'running') limitedSince ??= clock.now();
  else if (limitedSince !== undefined) {
    limited += clock.now() - limitedSince;
    limitedSince = undefined;
  }
};
const spec: EnvironmentSpec = {
  ...{ project: 'bench', environment: 'prod', owner: 'bench', directory },
  machines: Array.from({ length: droplets }, (_, index) => machineSpec(`web-${index + 1}`)),
  operators: ['203.0.113.7/32'],
  authorizedKeys: [],
};
const provider = () =>
  createDigitalOceanProvider(quietContext({ env: {}, progress }), spec, {
    ...{ token: FAKE_TOKEN, apiUrl: fake.url, clock },
    connect: simulatedConnect(fake.url),
  });

async function timed(title: string, work: () => Promise<unknown>): Promise<number> {
  fake.fail(undefined);
  limited = 0;
  const begun = clock.now();
  await work();
  const took = (clock.now() - begun) / 1_000;
  const calls = fake.calls().filter(({ method }) => method !== 'SSH');
  const writes = calls.filter(({ method }) => method !== 'GET');
  const commands = fake.calls().length - calls.length;
  console.log(
    `${title.padEnd(18)} ${took.toFixed(1).padStart(6)} s   ` +
      `${String(calls.length).padStart(4)} API calls (${writes.length} writes)   ` +
      `${commands} remote commands   ${(limited / 1_000).toFixed(1)} s of it waiting for the rate limit`,
  );
  return took - limited / 1_000;
}

try {
  console.log(
    `${droplets} droplets, ${boot} s to boot each, ${REALISTIC_DELAYS.latency} ms a call; ` +
      `clocks ${speed} times faster\n`,
  );
  const up = await timed('from nothing', async () => provider().apply(await provider().plan()));
  await timed('nothing to do', async () => provider().apply(await provider().plan()));
  await timed('destroy', () => provider().destroy());
  const ratio = up / boot;
  console.log(`\nfrom nothing ÷ boot = ${ratio.toFixed(2)} (goal: at most ${GOAL}, rate limit apart)`);
  if (ratio > GOAL) process.exitCode = 1;
} finally {
  await fake.stop();
  await rm(directory, { recursive: true, force: true });
}
