/** A version on its side's host, brought as a deploy brings it: nginx, files, processes, databases. */
import { posix } from 'node:path';
import type { Artifact } from '../../build/artifact.ts';
import type { Config } from '../../config/schema.ts';
import type { Context } from '../../context.ts';
import {
  APPS,
  appRoot,
  NETWORKS,
  PERSIST_ROOT,
  STATE_ROOT,
  settingsFolder,
  systemUser,
} from '../../contract/places.ts';
import { Failure } from '../../errors.ts';
import { nginxProxy } from '../../proxy/nginx.ts';
import { deploy } from '../../release/index.ts';
import { withValues } from '../../ssh/script.ts';
import { labEnvironmentOf } from './definition.ts';
import type { LabHost } from './hosts.ts';
import running from './running.sh' with { type: 'text' };
import takeOffScript from './take-off.sh' with { type: 'text' };

const UNITS = '/etc/systemd/system';
/** nginx serves the files of an application without processes. */
const NGINX = 'nginx.service';
/** Steps at which it is the version's own fault that it does not run. */
const OWN_FAULT: ReadonlySet<string | undefined> = new Set([
  'before_cut_over',
  'start',
  'health',
  'processes',
]);

/** A version as it runs on its host. */
export interface Running {
  /** What is measured: its processes, or nginx for files alone. */
  readonly units: readonly string[];
  /** Where its own process answers, without nginx. */
  readonly address: string;
  readonly port: number;
}

/** It did not start: why, and its last lines. */
export interface NotRunning {
  readonly trouble: string;
  readonly lines: readonly string[];
}

export interface ReleaseOnSide {
  /** From `labConfig`. */
  readonly config: Config;
  readonly app: string;
  readonly artifact: Artifact;
  /** The same for both sides, passwords of databases among them. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** Deploys it where none is, and says where it runs. */
export async function deploySide(
  host: LabHost,
  { config, app, artifact, secrets }: ReleaseOnSide,
  context: Context,
): Promise<Running | NotRunning> {
  const own: Context = { ...context, env: { ...context.env, ...labEnvironmentOf(secrets) } };
  try {
    const { hosts } = await deploy({ config, app, artifact, hosts: [host], by: 'pipeline canary' }, own);
    return await runningOn(host, config, app, hosts[0]?.colour ?? 'blue', context);
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'host' || !OWN_FAULT.has(error.step)) throw error;
    return { trouble: error.message.replace(`${host.name}: `, ''), lines: error.output };
  }
}

async function runningOn(
  host: LabHost,
  config: Config,
  app: string,
  colour: string,
  context: Context,
): Promise<Running> {
  const instances = `${settingsFolder(app)}/${colour}.instances`;
  const text = await host.connection.check(withValues(running, { app, colour, instances }), {
    label: 'where it runs',
    signal: context.signal,
  });
  const lines = text.split('\n').map((line) => line.split(' '));
  const units = lines.flatMap(([kind, unit]) => (kind === 'unit' && unit !== undefined ? [unit] : []));
  const [, , address = '127.0.0.1', port] = lines.find(([kind]) => kind === 'instance') ?? [];
  const site = config.apps[app]?.site.port ?? 80;
  return units.length === 0
    ? { units: [NGINX], address: '127.0.0.1', port: site }
    : { units, address, port: port === undefined ? site : Number(port) };
}

/** The application goes from the host, its site too; databases, packages and nginx stay. */
export async function takeOff(host: LabHost, app: string, context: Context): Promise<void> {
  const folders = [
    appRoot(app),
    posix.join(APPS, app),
    posix.join(STATE_ROOT, app),
    posix.join(PERSIST_ROOT, app),
  ];
  const values = { app, account: systemUser(app), folders, units: UNITS, networks: NETWORKS };
  await nginxProxy(host.connection, context).remove(app);
  await host.connection.check(withValues(takeOffScript, values), {
    label: `take ${app} off`,
    signal: context.signal,
  });
}
