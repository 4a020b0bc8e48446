/** The systemd unit of one instance. Pure text. */
import { posix } from 'node:path';
import type { Manifest } from '../../contract/manifest.ts';
import type { Colour } from '../../contract/places.ts';
import {
  colourLink,
  instanceNames,
  networkOf,
  networkUnit,
  PERSIST_ROOT,
  portOf,
  STATE_ROOT,
  systemUser,
  unitName,
} from '../../contract/places.ts';
import { ownVariables, toolFolders } from '../../contract/tools.ts';

/** One process of a release: its name, and where it answers. */
export interface Instance {
  readonly name: string;
  readonly unit: string;
  /** Where nginx and the health check reach it. */
  readonly address: string;
  readonly port: number;
  /** The unit that makes its network; absent: it shares the host's. */
  readonly network?: string | undefined;
}

/** The processes of a release in one colour; none for a static site. */
export function instancesOf(
  manifest: Pick<Manifest, 'app' | 'instances' | 'fixedPort' | 'runtime'>,
  slot: number,
  colour: Colour,
): readonly Instance[] {
  const { app } = manifest;
  if (manifest.runtime === 'static') return [];
  return instanceNames(colour, manifest.instances).map((name, index) => {
    const port = portOf(slot, colour, index);
    const common = { name, unit: unitName(app, name) };
    if (manifest.fixedPort === null) return { ...common, address: '127.0.0.1', port };
    return {
      ...common,
      address: networkOf(app, name, port).address,
      port: manifest.fixedPort,
      network: networkUnit(app, name),
    };
  });
}

/** What a service has no use for, its intruder might. */
const SANDBOX = [
  'NoNewPrivileges=yes',
  'CapabilityBoundingSet=',
  'AmbientCapabilities=',
  'ProtectSystem=strict',
  'ProtectHome=yes',
  'PrivateTmp=yes',
  'PrivateDevices=yes',
  'ProtectClock=yes',
  'ProtectHostname=yes',
  'ProtectKernelLogs=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelTunables=yes',
  'ProtectControlGroups=yes',
  'ProtectProc=invisible',
  'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'LockPersonality=yes',
  'RemoveIPC=yes',
  'SystemCallArchitectures=native',
  'SystemCallFilter=@system-service',
  'SystemCallErrorNumber=EPERM',
  'InaccessiblePaths=-/etc/pipeline -/var/log/pipeline -/var/log/nginx',
];

/** A line of a unit that sets variables. */
export function environment(variables: readonly string[]): string {
  return `Environment=${variables.map((variable) => `"${variable}"`).join(' ')}`;
}

/**
 * Where a program of a release begins, and where it finds others. @param folder the release's, or a link to
 * it
 */
export function surroundings(
  manifest: Manifest,
  folder: string,
): { readonly directory: string; readonly path: string } {
  const { app, runtime } = manifest;
  return {
    // Java applications write to relative paths, if at all.
    directory: runtime === 'tomcat' ? `${STATE_ROOT}/${app}` : posix.join(folder, 'app', manifest.directory),
    path: [...toolFolders(manifest, folder), '/usr/local/bin:/usr/bin:/bin'].join(':'),
  };
}

/** How the journal names what a program of an application prints, and how much of it it takes. */
export function logging(app: string): readonly string[] {
  return [`SyslogIdentifier=${app}`, 'LogRateLimitIntervalSec=30s', 'LogRateLimitBurst=20000'];
}

/** What a program of an application may do and use. @param memory bytes; null: no limit */
export function confinement(
  { app, persist, memory: usual }: Manifest,
  memory: number | null = usual,
): readonly string[] {
  return [
    `StateDirectory=pipeline-apps/${app}`,
    'StateDirectoryMode=0750',
    'LimitNOFILE=65536',
    'TasksMax=1024',
    ...(memory === null ? [] : [`MemoryMax=${memory}`, 'MemorySwapMax=0']),
    'UMask=0027',
    ...SANDBOX,
    ...(persist === undefined ? [] : [`ReadWritePaths=-${PERSIST_ROOT}/${app}`]),
  ];
}

/**
 * The unit. Paths go through the colour's link, so the colour's next release has the same unit, and systemd
 * need not read all units again. It may read its release, write only to its state folder and /tmp, and gain
 * no rights. It restarts whenever it ends: a service that exits on some requests is away only as long as it
 * takes to start.
 */
export function unitFile(manifest: Manifest, slot: number, colour: Colour, index: number): string {
  const { app } = manifest;
  const instance = instancesOf(manifest, slot, colour)[index];
  if (instance === undefined) throw new RangeError(`${app} has no instance ${index}`);
  const folder = colourLink(app, colour);
  const state = `${STATE_ROOT}/${app}`;
  const node = manifest.runtime === 'node';
  const { directory, path } = surroundings(manifest, folder);
  const user = systemUser(app);
  const network =
    manifest.fixedPort === null ? undefined : networkOf(app, instance.name, portOf(slot, colour, index));
  const lines = [
    '# Written by pipeline. Changes here are overwritten by the next deploy.',
    '[Unit]',
    `Description=${app} (${instance.name})`,
    'After=network.target mariadb.service mongod.service',
    // Started before nginx, it stops after it: a host that goes down takes no request that nobody would
    // answer.
    'Before=nginx.service',
    'StartLimitIntervalSec=0',
    ...(instance.network === undefined ? [] : [`BindsTo=${instance.network}`, `After=${instance.network}`]),
    '',
    '[Service]',
    'Type=exec',
    `User=${user}`,
    `Group=${user}`,
    `WorkingDirectory=${directory.replaceAll('%', '%%')}`,
    `ExecStart=${folder}/start`,
    `Environment="PATH=${path.replaceAll('%', '%%')}" "HOME=${state}"`,
    environment([...ownVariables(manifest, folder), `${manifest.portVariable}=${instance.port}`]),
    `EnvironmentFile=${folder}/env`,
    'Restart=always',
    // A failing Java start uses the processor for seconds, which whatever it waits for may need.
    ...(node ? ['RestartSec=200ms'] : ['RestartSec=1s', 'SuccessExitStatus=143']),
    'TimeoutStopSec=15s',
    ...logging(app),
    ...confinement(manifest),
    ...(network === undefined
      ? []
      : [
          `NetworkNamespacePath=/run/netns/${network.namespace}`,
          `BindReadOnlyPaths=-/run/pipeline/networks/${network.namespace}.resolv.conf:/etc/resolv.conf`,
        ]),
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ];
  return `${lines.join('\n')}\n`;
}

/** `start` in the release's folder. The service replaces the shell if possible, so that signals reach it. */
export function startScript(start: string): string {
  const plain = /^(?!\w+=)[\w./@:=+,-]+( [\w./@:=+,'"${}-]+)*$/.test(start);
  return `#!/bin/sh\n${plain ? 'exec ' : ''}${start}\n`;
}

/** systemd's EnvironmentFile: values in double quotes, in which it knows four escapes. */
export function environmentFile(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${value.replaceAll(/[\\"$`]/g, '\\$&')}"\n`)
    .join('');
}
