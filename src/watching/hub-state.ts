/** What the monitor host should be, from pipeline.yml, the inventory and what the host itself says. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { Context } from '../context.ts';
import { Failure } from '../errors.ts';
import type { Resource } from '../host/resource.ts';
import { hubResources } from '../roles/hub.ts';
import type { Connection } from '../ssh/connection.ts';
import {
  type AgentWanted,
  alertPlaces,
  forwarding,
  type HubWanted,
  hubConfigText,
  logForwarding,
  publicPage,
} from './desired.ts';
import { dashboardUrl, type MonitorPlace } from './place.ts';
import type { MonitorSecrets } from './secrets.ts';

const MIB = 2 ** 20;

/** What the user's machine gives: read before any host is reached, so that a mistake is told at once. */
export interface HubInputs {
  readonly places: HubWanted['places'];
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  /** Where agents send logs. */
  readonly forward: AgentWanted['forward'];
}

/** @throws Failure `usage` where a certificate or a variable that pipeline.yml names is missing or wrong */
export async function hubInputs(config: Config, env: Context['env']): Promise<HubInputs> {
  const places = {
    ...alertPlaces(config.alerts, env),
    ...forwarding(config, env),
    ...publicPage(config, env),
  };
  const files = config.monitor?.tls;
  const forward = logForwarding(config, env);
  if (files === undefined) return { places, tls: undefined, forward };
  const wrong = (cause: Error) =>
    new Failure('usage', `monitor: tls: ${cause.message}`, {
      next: 'Give a certificate chain and its key as PEM files, relative to pipeline.yml.',
      cause,
    });
  const read = (path: string) =>
    readFile(resolve(config.directory, path), 'utf8').catch((cause: Error) => {
      throw wrong(cause);
    });
  const tls = { certificate: await read(files.certificate), key: await read(files.key) };
  try {
    const certificate = new X509Certificate(tls.certificate);
    if (certificate.checkPrivateKey(createPrivateKey(tls.key))) return { places, tls, forward };
  } catch (cause) {
    throw wrong(cause as Error);
  }
  throw wrong(new Error(`${files.key} is not the key of ${files.certificate}`));
}

export interface HubParts extends HubInputs {
  readonly secrets: MonitorSecrets;
  /** Addresses by which the hosts reach the monitor. */
  readonly fleet: readonly string[];
  /** Paths on the host. */
  readonly node: string;
  readonly program: string;
}

export async function hubState(
  { config, inventory, monitor }: MonitorPlace,
  { secrets, fleet, node, program, places, tls }: HubParts,
  hub: Connection,
  context: Context,
): Promise<readonly Resource[]> {
  const hosts = inventory.targets.map(({ name }) => name);
  const password = secrets.password('hub');
  const declared = config.hosts[config.monitor?.host ?? 'monitor']?.memory ?? config.defaults.memory;
  const memory = Math.min(await memoryOf(hub, context), declared ?? Number.POSITIVE_INFINITY);
  return hubResources({
    node,
    program,
    hubPassword: password,
    agents: hosts.map((host) => ({ host, password: secrets.password(`agent:${host}`) })),
    fleet,
    // Half of the memory in steps of 64 MiB: the hub, and a rewrite of the append-only file, need the rest.
    maxMemory: Math.max(64 * MIB, Math.floor(memory / 2 / (64 * MIB)) * 64 * MIB),
    config: hubConfigText(config, { hosts, password, dashboard: dashboardUrl({ config, monitor }), places }),
    tls,
    statusFolder: config.monitor?.status_page?.folder,
  });
}

/** Bytes of the host, or of the container that it is. */
async function memoryOf(hub: Connection, { signal }: Context): Promise<number> {
  const text = await hub.check(
    "sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo; " +
      'cat /sys/fs/cgroup/memory.max 2>/dev/null || true',
    { label: 'memory of the monitor', signal },
  );
  const [kilobytes = '0', limit = 'max'] = text.trim().split('\n');
  return Math.min(Number(kilobytes) * 1024, Number(limit) || Number.POSITIVE_INFINITY);
}
