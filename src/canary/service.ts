/** A version as a service on its host: files, unit and script as text. Pure. */
import type { Artifact } from '../build/artifact.ts';
import { quote } from '../ssh/quote.ts';

/** Everything of the canary on a host lies here. */
export const FOLDER = '/opt/pipeline-canary';
export const UNIT = 'pipeline-canary.service';

/** Where a Node of that version is, once `unpackNode` ran. */
export function nodePath(version: string): string {
  return `${FOLDER}/node-${version}/bin/node`;
}

/** Where uploads go, named for what they are, so that what is there is not sent again. */
export function uploadPath(kind: 'node' | 'artifact' | 'agent', name: string): string {
  return `${FOLDER}/uploads/${kind}-${name}`;
}

/** Unpacks an uploaded Node (the registry's archive: package/bin/node), unless it was done before. */
export function unpackNode(version: string): string {
  const folder = `${FOLDER}/node-${version}`;
  return `if [ ! -x ${folder}/bin/node ]; then
  rm -rf ${folder}.new && mkdir -p ${folder}.new
  tar -xzf ${uploadPath('node', version)} -C ${folder}.new --strip-components=1 package/bin/node
  mv -T ${folder}.new ${folder}
fi`;
}

export interface ServiceSpec {
  readonly app: string;
  readonly artifact: Artifact;
  /** Exact Node version. */
  readonly node: string;
  /** Environment with the port in it; secrets too, so the text must travel on standard input only. */
  readonly env: Readonly<Record<string, string>>;
  readonly memoryBytes: number | undefined;
}

/** Makes the uploaded version the one that runs, freshly started. Everything of another version is removed. */
export function installScript(spec: ServiceSpec): string {
  const { artifact, node, env } = spec;
  const release = `${FOLDER}/releases/${artifact.sha256.slice(0, 16)}`;
  const folder = artifact.directory === '' ? release : `${release}/${artifact.directory}`;
  return `set -eu
systemctl stop ${UNIT} 2>/dev/null || true
systemctl reset-failed ${UNIT} 2>/dev/null || true
id pipeline-canary >/dev/null 2>&1 || useradd --system --home-dir ${FOLDER} --shell /usr/sbin/nologin pipeline-canary
${unpackNode(node)}
if [ ! -e ${release} ]; then
  rm -rf ${FOLDER}/releases && mkdir -p ${release}.new
  tar -xzf ${uploadPath('artifact', artifact.sha256)} -C ${release}.new
  # A service may write beside its code; what the last run wrote went with its folder.
  chown -R pipeline-canary: ${release}.new
  mv -T ${release}.new ${release}
fi
(umask 077; printf '%s\\n' ${quote(environmentFile(env))} >${FOLDER}/environment)
printf '#!/bin/sh\\n%s\\n' ${quote(artifact.start ?? 'exit 78')} >${FOLDER}/start
chmod 755 ${FOLDER}/start
printf '%s' ${quote(unitFile(spec, folder))} >/etc/systemd/system/${UNIT}
systemctl daemon-reload
systemctl start ${UNIT}
`;
}

/** systemd's EnvironmentFile: double quotes, in which backslash, quote, dollar and backtick are escaped (systemd.exec(5)). */
export function environmentFile(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}="${value.replace(/[\\"$`]/g, '\\$&')}"`)
    .join('\n');
}

function unitFile(spec: ServiceSpec, folder: string): string {
  const limit = spec.memoryBytes === undefined ? '' : `MemoryMax=${spec.memoryBytes}\n`;
  return `[Unit]
Description=${spec.app} under observation (pipeline canary)
StartLimitIntervalSec=30
StartLimitBurst=8

[Service]
User=pipeline-canary
WorkingDirectory=${folder}
Environment=NODE_ENV=production PATH=${FOLDER}/node-${spec.node}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
EnvironmentFile=${FOLDER}/environment
ExecStart=/bin/sh ${FOLDER}/start
Restart=always
RestartSec=1
CPUAccounting=yes
MemoryAccounting=yes
${limit}NoNewPrivileges=yes
PrivateTmp=yes
`;
}

/** The last lines of the service's journal, oldest first. */
export function journalScript(lines: number): string {
  return `journalctl --unit ${UNIT} --lines ${lines} --output cat --no-pager --quiet`;
}

/** Removes everything of the canary from a host. */
export const REMOVE = `systemctl disable --now ${UNIT} 2>/dev/null || true
rm -rf ${quote(FOLDER)} /etc/systemd/system/${UNIT}
systemctl daemon-reload
id pipeline-canary >/dev/null 2>&1 && userdel pipeline-canary || true`;
