/** `agent.js run`: a sample at every interval, sent to the hub's inbox. */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentConfig } from '../contract/agent.ts';
import type { Collector } from './collector.ts';
import { accessLogCollector } from './collectors/access-logs.ts';
import { auditCollector } from './collectors/audit.ts';
import { backupCollector } from './collectors/backups.ts';
import { certificateCollector } from './collectors/certificates.ts';
import { checkCollector } from './collectors/checks.ts';
import { cpuCollector } from './collectors/cpu.ts';
import { diskCollector } from './collectors/disks.ts';
import { loadCollector } from './collectors/load.ts';
import { machineMemory, memoryCollector } from './collectors/memory.ts';
import { networkCollector } from './collectors/network.ts';
import { pressureCollector } from './collectors/pressure.ts';
import { rolloutCollector } from './collectors/rollouts.ts';
import { selfCollector } from './collectors/self.ts';
import { storeCollector } from './collectors/stores.ts';
import { unitCollector } from './collectors/units.ts';
import { forwardLogs } from './forward/forward.ts';
import { openStore } from './forward/stores.ts';
import { answerQuestions } from './questions/questions.ts';
import { readLogs } from './questions/read-logs.ts';
import { Sampler } from './sampler.ts';
import { Sender } from './sender/sender.ts';
import { findContainer } from './system/container.ts';
import { nextTick, sleepUntil } from './ticks.ts';

/** How long questions and stores may take to end. */
const END_MS = 1000;
/** How long samples are still sent after the signal to stop; systemd waits 90 s. */
const FLUSH_MS = 5000;

/**
 * V8 collects old objects only once there are 8 MB of them, which takes an idle agent an hour; meanwhile it
 * seems to leak. With `--expose-gc` it is asked for sooner: some milliseconds every ten minutes.
 */
const COLLECT_GARBAGE_MS = 600_000;

/** The collectors that a configuration asks for. */
function collectorsFor(
  config: AgentConfig,
  sender: Pick<Sender, 'buffered' | 'takeDropped' | 'droppedEver'>,
): Collector[] {
  const container = findContainer(machineMemory());
  return [
    cpuCollector(container),
    memoryCollector(container),
    loadCollector(container),
    pressureCollector(container),
    diskCollector(),
    networkCollector(),
    ...(config.units.length > 0 ? [unitCollector(config.units)] : []),
    ...config.logs.map((source) => accessLogCollector(source, config.routes)),
    ...config.checks.map(checkCollector),
    ...config.stores.map(storeCollector),
    ...config.certificates.map(certificateCollector),
    auditCollector(() => sender.droppedEver),
    rolloutCollector(() => sender.droppedEver),
    backupCollector(),
    selfCollector(sender),
  ];
}

/** Measures and sends until the signal comes; then takes a last sample, sends what waits, and returns. */
export async function run(
  config: AgentConfig,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  const sender = new Sender({
    redis: config.redis,
    stream: `in:${config.host}:samples`,
    instance: randomBytes(6).toString('hex'),
    maxBufferBytes: config.bufferBytes,
    maxInboxLength: config.inboxLength,
    log,
  });
  const forwarding = forward(config, signal, log);
  const sampler = new Sampler(collectorsFor(config, sender), log);
  sender.start();
  const { redis } = config;
  const answering = answerQuestions({
    ...{ host: config.host, redis, log, signal },
    answer: (asked) => readLogs(asked, config),
  });
  const { host, port } = config.redis;
  log(`Measuring ${config.host} every ${config.intervalSeconds} s for ${host}:${port}.`);
  // The first look only begins the interval: nothing is known about rates yet.
  sampler.sample(performance.now());
  let last = performance.now();
  const take = (): void => {
    const clock = performance.now();
    const seconds = Math.max(0.001, (clock - last) / 1000);
    last = clock;
    sender.push({ host: config.host, at: Date.now(), seconds, ...sampler.sample(clock) });
  };
  let collected = last;
  while (!signal.aborted) {
    await sleepUntil(nextTick(Date.now() / 1000, config.intervalSeconds), signal);
    take();
    if (last - collected >= COLLECT_GARBAGE_MS) {
      globalThis.gc?.();
      collected = last;
    }
  }
  // Where Redis or a store does not answer, nobody waits for it.
  await Promise.race([Promise.all([answering, forwarding]), sleep(END_MS)]);
  sampler.close();
  const left = await sender.close(FLUSH_MS);
  log(
    left === 0 ? 'Stopped; every sample was delivered.' : `Stopped; ${left} samples could not be delivered.`,
  );
}

/** Forwards logs where that is asked for. systemd names the folder that outlives the agent. */
async function forward(config: AgentConfig, signal: AbortSignal, log: (line: string) => void): Promise<void> {
  const folder = process.env.STATE_DIRECTORY;
  const { host, units } = config;
  await Promise.all(
    config.forward.map((to) => {
      // Each store has its own place in the journal, whatever stands beside it.
      const name = createHash('sha256').update(`${to.kind} ${to.url}`).digest('hex').slice(0, 12);
      const place = folder === undefined ? undefined : `${folder}/forwarded-${name}`;
      return forwardLogs({ host, units, store: openStore(to), place, log, signal });
    }),
  );
}
